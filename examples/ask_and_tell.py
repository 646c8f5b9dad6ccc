"""Keep the loop: ask for values, evaluate them however you like, tell the result."""

import dialed

space = {
    "temperature": dialed.Float(150.0, 250.0, default=200.0),
    "minutes": dialed.Int(10, 60, default=30),
    "oven": dialed.Choice(["gas", "electric"]),
}
study = dialed.create_study(space, direction="max", max_trials=20, seed=0, name="bread")

while len(study.trials) < 20:
    trial = study.ask()
    values = trial.values
    if values["temperature"] * values["minutes"] > 12_000:
        study.tell(trial, "burnt")
        continue
    heat = values["temperature"] * values["minutes"] / 8_000
    study.tell(trial, 10.0 - 20.0 * (heat - 1.0) ** 2 + (values["oven"] == "gas"))

print(study.summary())
study.close()
