/** The page: who is logged in, where they are, and the view that belongs there. */

import { Connection } from "./connection.js";
import { h, icon, name, replace } from "./dom.js";
import { choose, language, t } from "./i18n.js";
import { place, takeToken } from "./router.js";
import { logIn, loginView, logOut, readSession, renewWhenNeeded, words } from "./session.js";
import { Uploads } from "./uploads.js";
import { ContractView } from "./views/contract.js";
import { ListView } from "./views/list.js";
import { shortUser } from "./views/parts.js";

const RETRY_SECONDS = 3;

class Page {
  constructor() {
    this.element = document.getElementById("page");
    this.connection = new Connection();
    /** @type {import("./session.js").Session|null} */
    this.session = null;
    this.uploads = new Uploads();
    /** @type {{element: HTMLElement, show: (place: import("./router.js").Place) => void, stop: () => void}|null} */
    this.view = null;
    window.addEventListener("hashchange", () => this.#route());
    window.addEventListener("beforeunload", (event) => {
      // An upload on its way would be lost without a word.
      if (this.uploads.busy) event.preventDefault();
    });
    // A file that is dropped anywhere else would replace the page.
    for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => event.preventDefault());
    renewWhenNeeded(
      () => /** @type {import("./session.js").Session} */ (this.session),
      () => this.uploads.stop(),
    );
  }

  async start() {
    document.documentElement.lang = language();
    try {
      this.session = await readSession();
      const token = takeToken();
      // Nobody is logged out by a link; one whose token is too old leads to the form. Where it is not one's own machine,
      // a link of somebody else's would log in as whom it likes.
      if (token && !this.session.user && this.session.loginByLink) {
        await logIn(token).catch(() => null);
        this.session = await readSession();
      }
    } catch (error) {
      this.#frame(
        h("main", { id: "content", class: "centered" }, h("h1", {}, t("app.title")), h("p", { role: "alert" }, words(error))),
      );
      setTimeout(() => this.start(), RETRY_SECONDS * 1000);
      return;
    }
    this.render();
  }

  render() {
    document.documentElement.lang = language();
    this.view?.stop();
    this.view = null;
    if (this.session?.user) this.#route();
    else {
      document.title = `${t("login.title")} · DealGuard`;
      this.#frame(loginView(/** @type {any} */ (this.session), () => this.start()));
    }
  }

  #route() {
    if (!this.session?.user) return;
    const where = place();
    if (this.view && this.view.key === `${where.view} ${where.id}`) {
      this.view.show(where);
      return;
    }
    const fresh = this.view !== null;
    this.view?.stop();
    const context = { session: this.session, uploads: this.uploads };
    this.view = where.view === "contract" ? new ContractView(context, where) : new ListView(context, where);
    this.view.key = `${where.view} ${where.id}`;
    this.#frame(this.view.element);
    this.view.show(where);
    window.scrollTo(0, 0);
    // Who follows a link with the keyboard goes on in the new view.
    if (fresh) document.getElementById("content")?.focus({ preventScroll: true });
  }

  #frame(content) {
    const skip = (event) => {
      event.preventDefault();
      document.getElementById("content")?.focus();
    };
    replace(
      this.element,
      h("a", { class: "skip", href: "#content", onclick: skip }, t("app.skip")),
      this.#header(),
      this.connection.element,
      content,
      h("footer", { class: "footer" }, h("p", {}, t("app.disclaimer"))),
    );
  }

  #header() {
    const other = language() === "de" ? "en" : "de";
    const change = () => {
      choose(other);
      this.connection.show();
      this.render();
      document.getElementById("language")?.focus();
    };
    return h(
      "header",
      { class: "header" },
      h("a", { class: "brand", href: "#/" }, mark(), h("span", {}, t("app.title"))),
      h(
        "div",
        { class: "header-right" },
        this.session?.user && h("span", { class: "user", title: t("app.loggedInAs", { user: this.session.user }) }, name(shortUser(this.session.user))),
        h("button", { type: "button", id: "language", class: "quiet", lang: other, onclick: change }, t("app.language")),
        this.session?.user && h("button", { type: "button", class: "quiet", onclick: () => this.#leave() }, t("app.logout")),
      ),
    );
  }

  async #leave() {
    this.uploads.stop();
    await logOut().catch(() => null);
    this.view?.stop();
    this.view = null;
    await this.start();
  }
}

function mark() {
  return h("span", { class: "mark" }, icon("check"));
}


new Page().start();
