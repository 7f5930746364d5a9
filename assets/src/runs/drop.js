// Opens a run file that is dropped on the page: the form sends it like a chosen one.

const zone = () => document.getElementById("open-run");
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

for (const moment of ["dragenter", "dragover"]) {
  document.addEventListener(moment, (event) => {
    const form = zone();
    if (!form || !carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    form.classList.add("over");
  });
}

document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) zone()?.classList.remove("over");
});

document.addEventListener("drop", (event) => {
  const form = zone();
  if (!form || !carriesFiles(event)) return;
  event.preventDefault();
  form.classList.remove("over");
  form.elements.file.files = event.dataTransfer.files;
  form.requestSubmit();
});
