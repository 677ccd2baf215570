/** Who is logged in, and the way back in for those whose session has ended. */

import { onLoginNeeded, Problem, read, request } from "./api.js";
import { openDialog } from "./dialog.js";
import { h, icon } from "./dom.js";
import { has, t } from "./i18n.js";

/**
 * @typedef {object} Session
 * @property {string|null} user
 * @property {{name: string, mayUpload: boolean}[]} organizations
 * @property {("token"|"oidc")[]} login
 * @property {boolean} loginByLink
 * @property {number} maxPdfBytes
 */

/** @returns {Promise<Session>} */
export function readSession() {
  return read("/session", { anonymous: true });
}

/** Begin a session with a token of the cluster. @param {string} token */
export function logIn(token) {
  return request("/session", { method: "POST", json: { token }, anonymous: true });
}

export function logOut() {
  return request("/session", { method: "DELETE", anonymous: true });
}

/** Where a login by redirect returns to: this very place. */
function oidcAddress() {
  return `/session/oidc/start?${new URLSearchParams({ next: `/${location.hash}` })}`;
}

/**
 * The ways to log in that this installation has.
 * @param {Session["login"]} ways @param {() => void} done
 * @param {{inDialog?: boolean}} [options] In a dialog the page stays as it is, so OIDC opens a tab of its own.
 */
export function loginForm(ways, done, { inDialog = false } = {}) {
  const parts = [];
  if (ways.includes("oidc")) {
    const link = h(
      "a",
      { class: "button primary wide", href: oidcAddress(), target: inDialog ? "_blank" : null, rel: inDialog ? "opener" : null },
      t("login.oidc"),
    );
    parts.push(link);
    if (inDialog) {
      parts.push(h("p", { class: "help" }, t("login.popup")));
      watchOtherTab(link, done);
    }
  }
  if (ways.includes("oidc") && ways.includes("token")) parts.push(h("p", { class: "divider" }, h("span", {}, t("login.or"))));
  if (ways.includes("token")) parts.push(tokenForm(done));
  if (!ways.length) parts.push(h("p", {}, t("login.none")));
  return h("div", { class: "login-ways" }, parts);
}

function tokenForm(done) {
  const field = h("input", {
    id: "token",
    name: "token",
    type: "password",
    autocomplete: "current-password",
    spellcheck: "false",
    required: true,
    "aria-describedby": "token-help token-problem",
  });
  const problem = h("p", { id: "token-problem", class: "field-problem", role: "alert" });
  const button = h("button", { type: "submit", class: "primary wide" }, t("login.submit"));
  const submit = async (event) => {
    event.preventDefault();
    button.toggleAttribute("disabled", true);
    problem.textContent = "";
    try {
      await logIn(/** @type {HTMLInputElement} */ (field).value.trim());
      done();
    } catch (error) {
      problem.textContent = error.status === 401 || error.status === 422 ? t("login.wrong") : words(error);
      field.setAttribute("aria-invalid", "true");
      field.focus();
    }
    button.toggleAttribute("disabled", false);
  };
  return h(
    "form",
    { class: "stack", onsubmit: submit },
    h("label", { for: "token" }, t("login.token")),
    field,
    problem,
    h("p", { id: "token-help", class: "help" }, t("login.tokenHelp")),
    button,
  );
}

/** What a problem means to the reader; the server's own words are for programs and administrators. */
export function words(problem) {
  const status = problem?.status;
  if (problem?.word && has(`problem.${problem.word}`)) return t(`problem.${problem.word}`);
  if (status === 0) return t("problem.offline");
  if ([401, 403, 404, 409, 413, 415, 422, 429, 503].includes(status)) return t(`problem.${status}`);
  return status === 502 || status === 504 ? t("problem.503") : t("problem.other");
}

/** A login that happens elsewhere is seen when the person comes back: to this tab, or to this window beside the other. */
function watchOtherTab(link, done) {
  const returns = new AbortController();
  const look = async () => {
    if (document.hidden || !link.isConnected) return;
    const session = await readSession().catch(() => null);
    if (!session?.user || returns.signal.aborted) return;
    returns.abort();
    done();
  };
  document.addEventListener("visibilitychange", look, { signal: returns.signal });
  window.addEventListener("focus", look, { signal: returns.signal });
}

/** The page before anybody is logged in. @param {Session} session @param {() => void} done */
export function loginView(session, done) {
  return h(
    "main",
    { id: "content", class: "login", tabindex: "-1" },
    h("div", { class: "card login-card" }, h("h1", {}, t("login.title")), h("p", { class: "muted" }, t("app.claim")), loginForm(session.login, done)),
  );
}

/** One dialog for however many requests wait for it. @type {Promise<void>|null} */
let asking = null;

/**
 * From now on a request that is refused for want of a session waits for a new one.
 * @param {() => Session} current
 * @param {() => void} drop Ends what the former person began, for it is somebody else who logged in.
 */
export function renewWhenNeeded(current, drop) {
  onLoginNeeded(() => {
    asking ??= ask(current(), drop).finally(() => {
      asking = null;
    });
    return asking;
  });
}

function ask(session, drop) {
  return new Promise((resolve, reject) => {
    const dialog = openDialog({
      title: t("login.again"),
      dismissable: false,
      content: [
        h("p", {}, icon("clock"), " ", t("login.againText")),
        loginForm(session.login, () => goOn(session, dialog, drop).then(resolve, reject), { inDialog: true }),
      ],
    });
  });
}

/** What is on the screen, and what waits to be sent, is the former person's: somebody else begins anew. */
async function goOn(before, dialog, drop) {
  const now = await readSession().catch(() => null);
  // Where it cannot be said who it is, it may be somebody else.
  if (now?.user !== before.user) {
    drop();
    location.reload();
    throw new Problem({ status: 401 });
  }
  dialog.close();
}
