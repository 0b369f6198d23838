// The server alone knows whether a desk is locked. Asking it is no activity.

/** What it answers as JSON; null when nothing came, or something else. */
async function told(url, options) {
  const answer = await fetch(url, { cache: "no-store", ...options, headers: { Accept: "application/json" } }).catch(() => null);
  return (await answer?.json().catch(() => null)) ?? null;
}

/** {state: "open" | "locked" | "out", user, left, token} or null. */
export const ask = (url) => told(url);

/** Sends fields as a form does; {state, said?, …} or null. */
export const send = (url, fields) => told(url, { method: "POST", body: new URLSearchParams(fields) });
