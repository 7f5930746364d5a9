// The compose page's payload: an editor over the text area, the form and the request made from it by the server,
// and the keys that work everywhere on the page. Nothing here parses JSON.

import { editorOver } from "./compose/editor.js";
import { completing } from "./compose/completion.js";
import { watchFindings } from "./compose/findings.js";
import { keepTyped } from "./compose/kept.js";
import { listenForKeys } from "./compose/keys.js";
import { viewsOf } from "./compose/views.js";
import "./expectation.js";
import "./fixtures.js";

const form = document.getElementById("compose");
keepTyped(form);
const editor = editorOver(document.getElementById("payload"), completing(document.getElementById("vocabulary")));
const findings = watchFindings(editor);
const views = viewsOf(form, editor, findings);
listenForKeys(form, editor, views);
