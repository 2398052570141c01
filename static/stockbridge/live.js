/* A part of a page that something in the background changes: fetched again while it says so, by data-live in milliseconds.
   Without this script, reloading the page shows the same. */
const live = () => document.getElementById("live");
let waiting = 0;

function later() {
    const every = Number(live()?.dataset.live);
    if (every) waiting = setTimeout(renew, every);
}

async function renew() {
    if (document.hidden) return later();
    try {
        const answer = await fetch(location.href, { headers: { "X-Requested-With": "live" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("live");
        if (!fresh) return say("You are not logged in any more. Reload the page.");
        if (!document.activeElement?.closest("#live") || !fresh.dataset.live) live().replaceWith(fresh);
        else live().querySelector(".sb-live")?.replaceWith(fresh.querySelector(".sb-live"));
    } catch {
        say("The server does not answer. Trying again.");
    }
    later();
}

function say(sentence) {
    const line = live()?.querySelector(".sb-live");
    if (line) line.textContent = sentence;
}

addEventListener("pagehide", () => clearTimeout(waiting));
document.addEventListener("DOMContentLoaded", later);
