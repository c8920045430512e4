// A form is sent once: its button rests until the page comes back. The server holds the same without this script.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
  });
});
// What is still under way is looked at again; a link does the same without this script. Nobody's ticks are lost by it.
const again = document.querySelector("[data-again]");
const look = () => {
  const busy = document.hidden || document.querySelector("main input[type=checkbox]:checked, main details[open]");
  if (busy) setTimeout(look, 1000); else location.reload();
};
if (again) setTimeout(look, Number(again.dataset.again) * 1000);
// "All that match" ticks every order below it, or none; the server leaves out what is unticked then, without this too.
document.addEventListener("change", (event) => {
  if (event.target.name !== "all") return;
  event.target.form.querySelectorAll("input[name=order]").forEach((each) => { each.checked = event.target.checked; });
});
// Where goods are scanned, what a scanner types goes into its field, wherever the focus is (after a print, for instance).
document.addEventListener("keydown", (event) => {
  const field = document.querySelector("form.scan #f-code");
  const elsewhere = field && !event.target.matches("input, textarea, select") && event.key.length === 1 && event.key !== " ";
  if (elsewhere && !event.ctrlKey && !event.altKey && !event.metaKey) field.focus();
});
