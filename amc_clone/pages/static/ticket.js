// Shows the listen link when it is here, without loading the page anew: a screen reader keeps its
// place, and hears the change because #listen is a live region (role="status").
// The server holds each request until Tell has answered (Prefer: wait, RFC 7240 4.3).

const PAUSE_MS = 2000;
const MAX_PAUSE_MS = 30000;

async function look() {
  const answer = await fetch(location.href, { headers: { Prefer: "wait=20" } });
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const waits = page.querySelector("#listen .waiting") !== null;
  if (!waits) {
    document.querySelector("#listen").replaceChildren(...page.querySelector("#listen").childNodes);
  }
  return !waits;
}

let pauseMs = PAUSE_MS;
for (;;) {
  try {
    if (await look()) break;
    pauseMs = PAUSE_MS;
  } catch {
    // The network is away or the service restarts: the ticket is safe, so ask again, less often.
    pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
  }
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
}
