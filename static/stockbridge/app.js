/* What pages do by themselves. Everything works without it: it only spares a second click and a selection by hand. */

/* A form is sent once, however often it is clicked. */
document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
});

/* The theme writes a chosen file's name into a text field beside it, and fails where there is none. */
document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".sb-file input").forEach((input) => { input.hasChangeListener = true; });
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

/* Where one is in a row that is wider than the window. */
document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".sb-tabs, .sb-chips, .sb-way").forEach((row) => {
        const here = row.querySelector(".sb-here");
        if (here) row.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - row.offsetLeft - row.clientWidth / 2;
    });
});

/* What lies on top of a page holds the keyboard until it is closed, and then gives it back. */
document.addEventListener("DOMContentLoaded", () => {
    const names = { "#changelist-filter": "Filters", "[x-data='searchCommand()']": "Find anything" };
    for (const [selector, name] of Object.entries(names)) {
        const dialog = document.querySelector(selector);
        if (dialog) hold(dialog, name);
    }
});

function hold(dialog, name) {
    const reachable = () => [...dialog.querySelectorAll("a[href], button, input, select, textarea, [tabindex='0']")]
        .filter((one) => one.checkVisibility() && !one.disabled && one.type !== "hidden" && one.tabIndex >= 0);
    let opener = null;
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-modal", "true");
    dialog.setAttribute("aria-label", name);
    new MutationObserver(() => {
        const isOpen = dialog.checkVisibility();
        if (isOpen && !opener) {
            opener = document.activeElement;
            if (!dialog.contains(opener)) reachable()[0]?.focus();
        } else if (!isOpen && opener) {
            opener.focus();
            opener = null;
        }
    }).observe(dialog, { attributes: true, attributeFilter: ["style"] });
    dialog.addEventListener("keydown", (event) => {
        if (event.key !== "Tab") return;
        const all = reachable();
        const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
        if (document.activeElement !== from) return;
        event.preventDefault();
        to.focus();
    });
}

/* A choice that is searched by typing has the name of its field; its own script forgets that. */
addEventListener("load", () => setTimeout(() => {
    document.querySelectorAll("select.select2-hidden-accessible").forEach((select) => {
        const name = select.labels[0]?.textContent.trim();
        const shown = select.parentElement.querySelectorAll(".select2-selection, .select2-selection__rendered");
        shown.forEach((one) => name && one.setAttribute("aria-label", name));
    });
}));

/* Fields and instructions of the other kind of app step aside. */
document.addEventListener("DOMContentLoaded", () => {
    const kind = document.querySelector(".sb-wizard select[name=kind]");
    if (!kind) return;
    const show = () => document.querySelectorAll(".sb-wizard [data-kind]").forEach((one) => {
        const fits = !one.dataset.kind || one.dataset.kind === kind.value;
        if (one.tagName === "DETAILS") one.open = fits; else one.hidden = !fits;
    });
    kind.addEventListener("change", show);
    show();
});
