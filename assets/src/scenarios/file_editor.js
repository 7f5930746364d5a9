// The file of a scenario as JSON, in the editor that payloads have. The server finds its mistakes.

import { completing } from "../compose/completion.js";
import { editorOver } from "../compose/editor.js";
import { watchFindings } from "../compose/findings.js";

const editor = editorOver(
  document.getElementById("typed"),
  completing(document.getElementById("vocabulary")),
);
watchFindings(editor, "findings");
