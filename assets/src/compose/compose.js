// The compose page's payload: an editor over the text area, the form and the request made from it by the server,
// and the keys that work everywhere on the page. Nothing here parses JSON.

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
const editor = editorOver(
  document.getElementById("payload"),
  completing(document.getElementById("vocabulary")),
);
const findings = watchFindings(editor);
const unsaved = new UnsavedEdits(form);
listenForKeys(form, editor, new Views(form, editor, findings, unsaved));
new Expectation(form, unsaved);
