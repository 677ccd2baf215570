/** One contract: its progress while it is analysed, then its report or what to do instead. */

import { act, contractPath, readIfChanged } from "../api.js";
import { confirm, tell } from "../dialog.js";
import { announce, h, icon, name, replace } from "../dom.js";
import { count, t } from "../i18n.js";
import { Live } from "../live.js";
import { address, go, place, remember } from "../router.js";
import { words } from "../session.js";
import { exportMenu } from "./export.js";
import { fileName, isFinished, shortUser, startClocks, took, when } from "./parts.js";
import { ended, progress } from "./progress.js";
import { ReportPane } from "../report/pane.js";

export class ContractView {
  constructor(context, where) {
    this.context = context;
    this.id = where.id;
    /** @type {any} */
    this.contract = null;
    this.memory = { etag: null };
    this.head = h("div", { class: "contract-head" });
    this.body = h("div", { class: "contract-body" }, h("p", { class: "muted loading" }, t("app.loading")));
    this.element = h("main", { id: "content", class: "contract-view", tabindex: "-1" }, this.head, this.body);
    /** @type {ReportPane|null} */
    this.report = null;
    this.live = new Live({
      events: [contractPath(this.id, "/events")],
      read: () => this.#read(),
      unfinished: () => this.contract !== null && !isFinished(this.contract),
      onContract: (contract) => this.#put(contract),
      onDeleted: () => this.#gone(t("contract.deletedElsewhere")),
      onProblem: (problem) => this.#gone(problem.status === 404 ? t("contract.goneText") : words(problem)),
      ends: true,
    });
  }

  /** @param {import("../router.js").Place} where */
  show(where) {
    if (!this.stopClocks) {
      this.#head();
      this.stopClocks = startClocks(this.element);
      this.live.start();
    } else this.report?.show(where.query);
  }

  stop() {
    this.live.stop();
    this.stopClocks?.();
    this.report?.stop();
  }

  async #read() {
    const contract = await readIfChanged(contractPath(this.id), this.memory);
    if (contract) this.#put(contract);
  }

  /** @param {any} contract */
  #put(contract) {
    const before = this.contract;
    if (before && JSON.stringify(before) === JSON.stringify(contract)) return;
    this.contract = contract;
    const file = fileName(contract);
    document.title = `${file} · DealGuard`;
    if (before && !isFinished(before) && isFinished(contract) && contract.status !== "cancelled") {
      announce(t(contract.status === "completed" ? "contract.announceDone" : "contract.announceFailed", { file }));
    } else if (before && before.stage !== contract.stage && contract.stage) announce(t(`stage.${contract.stage}`));
    this.#head();
    this.#body(before);
  }

  #body(before) {
    const { contract } = this;
    if (contract.status === "completed") {
      // The same report stays as it is, with its scroll position and what is open in it.
      if (this.report && before?.run === contract.run && before?.status === "completed") return;
      this.report?.stop();
      this.report = new ReportPane(contract, this.context);
      replace(this.body, this.report.element);
      this.report.start(place().query);
      return;
    }
    this.report?.stop();
    this.report = null;
    replace(this.body, isFinished(contract) ? ended(contract, () => this.#rerun()) : progress(contract));
  }

  #head() {
    const { contract } = this;
    const focused = this.head.contains(document.activeElement) ? document.activeElement?.id : null;
    const back = h("a", { class: "back", href: "#/" }, icon("back"), t("app.back"));
    if (!contract) {
      replace(this.head, back);
      return;
    }
    const about = [
      contract.summary?.contractType && name(contract.summary.contractType),
      contract.document?.pages && count("pages", contract.document.pages),
      this.context.session.organizations.length > 1 && name(contract.organization),
      [t("contract.uploaded"), " ", when(contract.createdAt), contract.submittedBy && ` ${t("list.by", { user: shortUser(contract.submittedBy) })}`],
      contract.status === "completed" && took(contract),
    ].filter(Boolean);
    replace(
      this.head,
      back,
      h(
        "div",
        { class: "contract-title" },
        h("div", {}, h("h1", {}, name(fileName(contract))), h("ul", { class: "about muted" }, about.map((each) => h("li", {}, each)))),
        h("div", { class: "actions" }, this.#actions()),
      ),
    );
    this.report?.nameToggle();
    if (focused) document.getElementById(focused)?.focus();
  }

  #actions() {
    const { contract } = this;
    const button = (id, key, kind, act, style = "") =>
      h("button", { type: "button", id, class: style, onclick: act }, icon(kind), h("span", {}, t(key)));
    return [
      contract.status === "completed" && button("toggle-document", "contract.showDocument", "file", () => this.report?.toggleDocument(), "document-toggle"),
      contract.status === "completed" && exportMenu(contract, () => this.report?.print()),
      !isFinished(contract) && button("cancel", "contract.cancel", "stop", () => this.#do(act.cancel)),
      contract.status === "completed" && button("rerun", "contract.rerun", "again", () => this.#rerun(), "quiet"),
      button("erase", "contract.erase", "trash", () => this.#erase(), "quiet danger-quiet"),
    ];
  }

  #rerun() {
    remember({ cite: null, section: null });
    return this.#do(act.rerun);
  }

  /** Ask for something; what the gateway answers is shown at once. */
  async #do(what) {
    try {
      const contract = await what(this.id);
      this.memory.etag = null;
      this.#put(contract);
    } catch (problem) {
      tell(words(problem), { problem: true });
    }
    this.live.refresh();
  }

  async #erase() {
    const file = fileName(this.contract);
    const sure = await confirm({
      title: t("erase.title"),
      content: [
        h("p", {}, t("erase.text")),
        h("ul", {}, h("li", {}, t("erase.document", { file })), h("li", {}, t("erase.report")), h("li", {}, t("erase.analysis"))),
      ],
      yes: t("erase.confirm"),
      no: t("erase.keep"),
    });
    if (!sure) return;
    this.live.stop();
    try {
      const erasure = await act.erase(this.id);
      tell(t("erase.done", { file }));
      // What is left, and why, in the server's own language.
      if (erasure.kept?.length) tell([t("erase.kept"), " ", h("span", { lang: "en" }, erasure.kept.join(" "))], { problem: true });
      go(address(null));
    } catch (problem) {
      tell(words(problem), { problem: true });
      this.live.start();
    }
  }

  #gone(text) {
    this.live.stop();
    this.report?.stop();
    document.title = `${t("contract.gone")} · DealGuard`;
    replace(this.head, h("a", { class: "back", href: "#/" }, icon("back"), t("app.back")));
    replace(this.body, h("div", { class: "card empty", role: "alert" }, icon("file"), h("h1", {}, t("contract.gone")), h("p", {}, text)));
  }
}
