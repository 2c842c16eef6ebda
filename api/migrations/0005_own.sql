-- What patients decide themselves, and what each family account may see of it.
CREATE TABLE api.own (
    patient      text PRIMARY KEY,
    glucose_unit text NOT NULL DEFAULT 'mg/dL' CHECK (glucose_unit IN ('mg/dL', 'mmol/L')),
    tested_at    timestamptz                          -- when they last had their alarm tried
);

-- No row: the account sees what is shared by default.
CREATE TABLE api.share (
    login      text PRIMARY KEY REFERENCES api.account ON DELETE CASCADE,
    shown      text[] NOT NULL,
    changed_at timestamptz NOT NULL
);
