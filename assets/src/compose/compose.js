// The compose page's payload: an editor over the text area, the form and the request made from it by the server,
// and the keys that work everywhere on the page. Nothing here parses JSON.

import { completing } from "./completion.js";
import { editorOver } from "./editor.js";
import { Expectation } from "./expectation.js";
import { watchFindings } from "./findings.js";
import { keepTyped } from "./kept.js";
import { listenForKeys } from "./keys.js";
import { Views } from "./views.js";
import "../shell/bodies.js";
import "./fixtures.js";

const form = document.getElementById("compose");
keepTyped(form);
const editor = editorOver(
  document.getElementById("payload"),
  completing(document.getElementById("vocabulary")),
);
const findings = watchFindings(editor);
listenForKeys(form, editor, new Views(form, editor, findings));
new Expectation(form);
