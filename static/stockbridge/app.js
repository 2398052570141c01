/* What pages do by themselves. Everything works without it: it only spares a second click and a selection by hand. */

/* A form is sent once, however often it is clicked. */
document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
});

document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const label = button.lastElementChild;
    const copied = await copy(button.parentElement.querySelector("code"));
    label.textContent = copied ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { label.textContent = "Copy"; }, 2500);
});

/* Outside of HTTPS a browser has no clipboard for pages; then the text is selected, and copied the old way. */
async function copy(source) {
    try {
        await navigator.clipboard.writeText(source.textContent);
        return true;
    } catch {
        getSelection().selectAllChildren(source);
        return document.execCommand("copy");
    }
}

/* What is shown once goes with its page: a reload leads home, and the way back shows nothing of it. */
document.addEventListener("DOMContentLoaded", () => {
    const once = document.querySelector("[data-once]");
    if (!once) return;
    history.replaceState(null, "", once.dataset.once);
    addEventListener("pagehide", () => once.querySelectorAll("code").forEach((code) => { code.textContent = ""; }));
});

addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll("form").forEach((form) => { delete form.dataset.sent; });
    if (document.querySelector("[data-once]")) location.reload();
});
