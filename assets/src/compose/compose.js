// The compose page: editors over the text areas of payload and expectation, what the server makes from these, and
// the keys that work everywhere on the page. Nothing here parses JSON.

import { completing } from "./completion.js";
import { editorOver } from "./editor.js";
import { Expectation } from "./expectation.js";
import { watchFindings } from "./findings.js";
import { listenForKeys } from "./keys.js";
import { UnsavedEdits } from "./unsaved.js";
import { Views } from "./views.js";
import "../shell/bodies.js";
import "./fixtures.js";
import "./pane.js";

const form = document.getElementById("compose");
const editorOf = (id, vocabulary) =>
  editorOver(document.getElementById(id), completing(document.getElementById(vocabulary)));
const payload = editorOf("payload", "vocabulary");
const expectation = editorOf("expectation", "expectation-vocabulary");
const unsaved = new UnsavedEdits(form);
const findings = watchFindings(payload, "findings");
listenForKeys(form, payload, new Views(form, payload, findings, unsaved));
new Expectation(form, expectation, watchFindings(expectation, "expectation-findings"), unsaved);
