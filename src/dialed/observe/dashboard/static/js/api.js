// Questions to the dashboard, and what it is asked to do. An error says what the dashboard said.

export async function ask(what, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== ""));
  return read(await fetched(`/api/${what}?${query}`, {}));
}

export async function tell(what, body) {
  return read(await fetched(`/control/${what}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));
}

async function fetched(url, options) {
  try {
    return await fetch(url, { credentials: "same-origin", ...options });
  } catch {
    throw new Error("The dashboard does not answer. Is `dialed dashboard` still running?");
  }
}

async function read(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    const error = new Error(body.error ?? `The dashboard answered ${response.status}.`);
    error.status = response.status;
    throw error;
  }
  return body;
}
