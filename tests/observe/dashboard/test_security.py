"""Who may ask: who has the key, calls this machine by its name, and comes from a page of ours."""

from __future__ import annotations

import pytest


def test_without_the_key_nothing_is_shown(reader_of):
    client = reader_of(cookie=False)
    for path in ("/", "/study?name=plain", "/api/studies", "/feed"):
        answer = client.get(path)
        assert answer.status_code == 401
        assert "This page needs the key" in answer.text
    assert client.get("/static/dialed.css").status_code == 200, "the page that asks for the key has its looks"


def test_the_key_in_the_address_becomes_a_cookie_that_pages_cannot_read(reader_of):
    answer = reader_of(cookie=False).get("/study?name=plain&token=key", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/study?name=plain")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("dialed-8000=key;")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


@pytest.mark.parametrize("path", ["//evil.example/?token=key", "/\\evil.example?token=key"])
def test_the_way_back_stays_on_this_machine(reader_of, path):
    answer = reader_of(cookie=False).get("http://127.0.0.1:8000" + path, follow_redirects=False)
    assert not answer.headers.get("location", "/").startswith(("//", "http", "/\\"))


@pytest.mark.parametrize("token", ["", "ke", "keyy", "KEY", "clé"])
def test_another_key_is_none(reader_of, token):
    assert reader_of(cookie=False).get("/", params={"token": token}).status_code == 401


def test_no_key_is_asked_for_where_there_is_none(reader_of):
    assert reader_of(cookie=False, token=None).get("/").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8000", "", "localhost.evil.example", "[::", "clé"]
)
def test_a_name_that_a_stranger_may_own_is_refused(client, host):
    answer = client.get("/api/studies", headers={"Host": host.encode()})
    assert answer.status_code == 421
    assert "The address must name this machine" in answer.json()["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "192.168.0.7:8000", "MINE:8000"])
def test_numbers_localhost_and_given_names_are_ours(reader_of, host):
    client = reader_of(hosts=["mine"])
    assert client.get("/api/studies", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9", "null", "https://localhost"])
def test_another_page_may_not_read(client, origin):
    assert client.get("/api/studies", headers={"Origin": origin}).status_code == 403
    assert client.get("/feed", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_link_from_another_page_opens_the_dashboard(client):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=headers).status_code == 200


def test_nothing_is_changed_without_an_origin(client_of):
    client = client_of(allow_control=True)
    assert client.post("/control/note", json={"study": "plain", "trial": 0}).status_code == 403
    ours = {"Origin": "http://127.0.0.1:8000"}
    assert client.post("/control/note", json={"study": "plain", "trial": 0}, headers=ours).status_code == 200


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/nowhere", "/api/head?study=none", "/static/js/study.js"])
def test_every_answer_has_the_strict_headers(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "js/../../app.py", "/etc/passwd", "js", ""])
def test_only_the_static_files_are_served(client, path):
    answer = client.get(f"/static/{path}")
    assert answer.status_code == 404
    assert "Starlette" not in answer.text
