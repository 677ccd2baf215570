/**
 * Begins the page. One module that does not come (the network changes, a gateway ends) leaves all of them out, and the
 * browser does not ask again by itself: then the page is loaded anew, as soon as the gateway answers.
 */

const FAILURES = "dealguard.beginnings";
const FIRST_WAIT_SECONDS = 1;
// One that never comes, because something is wrong with it, is not asked for all the time.
const LONGEST_WAIT_SECONDS = 10;
const AWAY_SECONDS = 3;
const ANSWER_SECONDS = 15;

async function begin() {
  try {
    await import("./main.js");
    sessionStorage.removeItem(FAILURES);
  } catch (error) {
    const failures = Number(sessionStorage.getItem(FAILURES)) || 0;
    sessionStorage.setItem(FAILURES, String(failures + 1));
    setTimeout(again, Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** failures) * 1000);
    throw error;
  }
}

async function again() {
  const answer = await fetch("/", { signal: AbortSignal.timeout(ANSWER_SECONDS * 1000) }).catch(() => null);
  // Not before: the browser's own page of an error would not come back.
  if (answer?.ok) location.reload();
  else setTimeout(again, AWAY_SECONDS * 1000);
}

/** One style sheet fewer spoils the page, but does not stop it: it is asked for once more. */
function dress() {
  for (const link of document.querySelectorAll("link[rel=stylesheet]")) {
    if (!(/** @type {HTMLLinkElement} */ (link).sheet)) link.replaceWith(link.cloneNode());
  }
}

window.addEventListener("load", dress);
begin();
