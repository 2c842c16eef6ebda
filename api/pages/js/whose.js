/**
 * Whose page it is. An address holds a patient only behind `#`, which no server and no proxy is ever sent, and only
 * until the page has read it: from then on the browser keeps it beside the entry of its history.
 */

/** Where a patient's page is. */
export const addressOf = (patient) => `/patient#${encodeURIComponent(patient)}`;

/** The patient of this page; null: none was given. */
export function patientOfPage() {
  for (const moved of ["hashchange", "popstate"]) addEventListener(moved, () => location.reload()); // another patient, or back
  const given = decodeURIComponent(location.hash.slice(1));
  if (given) history.replaceState({ patient: given }, "", location.pathname);
  return history.state?.patient ?? null;
}
