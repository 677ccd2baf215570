/**
 * Why there is no report and what to do next, for people who only have this page: [German, English] of both.
 * The reasons are those of docs/reasons.md; to one that is not here belong the API's own words, in English.
 */

const AGAIN = ["Analysieren Sie noch einmal.", "Analyse it again."];
const LATER = ["Warten Sie einige Minuten und analysieren Sie noch einmal.", "Wait a few minutes, then analyse it again."];
const ADMINISTRATION = [
  "Bitten Sie Ihre Administration um Hilfe und nennen Sie ihr diesen Grund; danach analysieren Sie noch einmal.",
  "Ask your administrator and name this reason; then analyse it again.",
];
const LARGER = [
  "Teilen Sie die Datei, oder bitten Sie Ihre Administration, die Grenze zu erhöhen.",
  "Split the file, or ask your administrator to raise the limit.",
];
const UPLOAD = ["Laden Sie die Datei noch einmal hoch.", "Upload the file again."];
const OFFLINE = [
  "Laden Sie den Vertrag noch einmal hoch und wählen Sie in den Optionen die Regeln ohne Netz.",
  "Upload the contract again and choose the offline rules in the options.",
];

const UNKNOWN = ["Die Analyse ist fehlgeschlagen.", "The analysis failed."];

/** @type {Record<string, [[string, string], string[]]>} */
export const REASONS = {
  DocumentKeyForbidden: [["Das Dokument liegt außerhalb Ihrer Organisation.", "The document lies outside your organisation."], UPLOAD],
  DocumentNotFound: [["Das Dokument ist nicht mehr im Speicher.", "The document is no longer in the storage."], UPLOAD],
  DocumentEmpty: [["Die Datei ist leer.", "The file is empty."], UPLOAD],
  DocumentTooLarge: [
    ["Die Datei ist größer, als diese Installation erlaubt.", "The file is larger than this installation allows."],
    LARGER,
  ],
  ChecksumMismatch: [
    ["Das gespeicherte Dokument ist nicht das hochgeladene.", "The stored document is not the one that was uploaded."],
    UPLOAD,
  ],
  NotAPDF: [
    ["Die Datei ist kein PDF.", "The file is not a PDF."],
    ["Speichern Sie den Vertrag als PDF und laden Sie dieses hoch.", "Export the contract as PDF and upload that."],
  ],
  DocumentEncrypted: [
    ["Das PDF ist mit einem Passwort geschützt.", "The PDF is protected with a password."],
    [
      "Speichern Sie eine Kopie ohne Passwort und laden Sie diese hoch.",
      "Save a copy without the password and upload that.",
    ],
  ],
  DocumentUnreadable: [
    ["Das PDF ist beschädigt; keine Seite lässt sich lesen.", "The PDF is damaged; no page of it can be read."],
    [
      "Öffnen Sie es in einem PDF-Programm, drucken Sie es in ein neues PDF und laden Sie dieses hoch.",
      "Open it in a PDF viewer, print it to a new PDF and upload that.",
    ],
  ],
  TooManyPages: [
    ["Das Dokument hat mehr Seiten, als diese Installation erlaubt.", "The document has more pages than this installation allows."],
    LARGER,
  ],
  NoTextLayer: [
    ["Die Seiten des PDFs sind Bilder ohne Text, etwa ein Scan.", "The PDF's pages are pictures without text, such as a scan."],
    [
      "Machen Sie es mit einer Texterkennung (OCR) durchsuchbar und laden Sie das Ergebnis hoch.",
      "Make it searchable with text recognition (OCR) and upload the result.",
    ],
  ],
  APIKeyMissing: [["Für Claude ist kein Schlüssel hinterlegt.", "No key for Claude is set up."], ADMINISTRATION],
  APIKeyRejected: [["Claude nimmt den hinterlegten Schlüssel nicht an.", "Claude refused the key that is set up."], ADMINISTRATION],
  SpendLimitReached: [["Das Guthaben bei Claude ist verbraucht.", "The credit for Claude is used up."], ADMINISTRATION],
  CostLimitExceeded: [
    ["Die Analyse würde mehr kosten als erlaubt.", "The analysis would cost more than allowed."],
    OFFLINE,
  ],
  ContractTooLong: [
    ["Der Vertrag ist länger, als Claude auf einmal lesen kann.", "The contract is longer than Claude can read at once."],
    [
      "Teilen Sie die Datei, oder laden Sie sie noch einmal hoch und wählen Sie die Regeln ohne Netz.",
      "Split the file, or upload it again and choose the offline rules.",
    ],
  ],
  ModelRefused: [["Claude hat abgelehnt, dieses Dokument zu analysieren.", "Claude declined to analyse this document."], OFFLINE],
  EngineRequestRejected: [["Claude hat die Anfrage zurückgewiesen.", "Claude refused the request."], ADMINISTRATION],
  StorageUnavailable: [["Der Dokumentenspeicher hat nicht geantwortet.", "The document storage did not answer."], LATER],
  EngineUnavailable: [["Claude war überlastet oder nicht erreichbar.", "Claude was overloaded or could not be reached."], LATER],
  EngineOutputInvalid: [
    ["Die Antwort von Claude war unvollständig.", "Claude's answer was incomplete."],
    AGAIN,
  ],
  Terminated: [["Die Analyse wurde von außen beendet.", "The analysis was stopped from outside."], AGAIN],
  InternalError: [["Die Analyse ist unerwartet fehlgeschlagen.", "The analysis failed unexpectedly."], AGAIN],
  OutOfMemory: [["Die Analyse brauchte mehr Speicher als erlaubt.", "The analysis needed more memory than allowed."], ADMINISTRATION],
  Evicted: [["Der Rechner musste die Analyse abgeben.", "The machine had to give up the analysis."], AGAIN],
  DeadlineExceeded: [["Die Analyse wurde nicht rechtzeitig fertig.", "The analysis did not finish in time."], LATER],
  AttemptsExhausted: [["Alle Versuche sind fehlgeschlagen.", "Every attempt failed."], LATER],
  JobDeleted: [["Die Analyse wurde entfernt, bevor sie fertig war.", "The analysis was removed before it finished."], AGAIN],
  JobRejected: [["Der Cluster hat die Analyse nicht angenommen.", "The cluster did not accept the analysis."], ADMINISTRATION],
  PodNotCreated: [["Der Cluster konnte die Analyse nicht starten.", "The cluster could not start the analysis."], ADMINISTRATION],
  ImagePullFailed: [["Der Cluster kann das Analyseprogramm nicht laden.", "The cluster cannot get the analysis program."], ADMINISTRATION],
  Unschedulable: [["Im Cluster ist kein Platz für die Analyse.", "The cluster has no room for the analysis."], LATER],
};

/** Where the same document would fail again: another file, or other options, is what helps. */
const ANOTHER_UPLOAD = new Set([
  "DocumentKeyForbidden", "DocumentNotFound", "DocumentEmpty", "DocumentTooLarge", "ChecksumMismatch", "NotAPDF",
  "DocumentEncrypted", "DocumentUnreadable", "TooManyPages", "NoTextLayer", "CostLimitExceeded", "ContractTooLong",
  "ModelRefused",
]);

/**
 * @param {{reason: string, message: string}} failure @param {"de"|"en"} language
 * @returns {{meaning: string, next: string|null, said: string|null, anotherUpload: boolean}} `said`: the API's own words.
 */
export function explain(failure, language) {
  const known = Object.hasOwn(REASONS, failure.reason) ? REASONS[failure.reason] : null;
  const index = language === "de" ? 0 : 1;
  if (!known) return { meaning: UNKNOWN[index], next: null, said: failure.message, anotherUpload: false };
  return { meaning: known[0][index], next: known[1][index], said: null, anotherUpload: ANOTHER_UPLOAD.has(failure.reason) };
}
