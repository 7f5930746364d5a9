// Times in the reader's own zone, the exact instant in the title.

const today = new Date().toDateString();

export function ownZone(element) {
  const instant = new Date(element.dateTime);
  if (Number.isNaN(instant.getTime())) return; // A file that somebody edited may hold any text.
  const time = instant.toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const day = instant.toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
  element.textContent = instant.toDateString() === today ? time : `${day}, ${time}`;
}
