// The page of the log: its rows go on, its filter acts at once, a delivery opens beside the list.

import "./dots.js";
import { startFilter } from "./filter.js";
import { LiveLog } from "./live.js";
import { startPreview } from "./preview.js";
import { Ticks } from "./ticks.js";

document.addEventListener("DOMContentLoaded", () => {
  const section = document.getElementById("log");
  if (!section) return;
  const ticks = new Ticks(section);
  const log = new LiveLog(section, { onMade: () => ticks.show() });
  startPreview(log);
  startFilter(log);
});
