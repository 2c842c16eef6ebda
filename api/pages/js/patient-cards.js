/** The right column of a patient's page: plan and limits, alert history, devices, pauses and the end of monitoring. */

import { deviceCard } from "./device-card.js";
import { historyCard } from "./history-card.js";
import { t } from "./page.js";
import { pauseCard } from "./pause-card.js";
import { planCard } from "./plan-card.js";

/** Doctors change plans, devices and monitoring; whoever else looks after patients reads them. */
const mayTreat = (account) => account.kind === "doctor";

export function cards(host, patient, account) {
  const id = encodeURIComponent(patient);
  const of = { patient, may: mayTreat(account), patients: `/patients/${id}`, plans: `/plans/${id}` };
  host.setAttribute("aria-label", t("card.label"));
  host.replaceChildren(planCard(of), historyCard(of), deviceCard(of), pauseCard(of));
}
