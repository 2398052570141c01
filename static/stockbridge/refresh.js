/* Parts of a page that show the present by themselves: <div id="…" data-refresh="seconds" data-says="…">.

They are asked for anew and put in place. It waits while nobody looks, while somebody types, chooses or reads what is
folded out, and says aloud only what `data-says` has when that has changed. */
(() => {
    const REGIONS = "[data-refresh]";
    let timer = 0, misses = 0, last = Date.now();

    const plain = (html) => html.replace(/(csrfmiddlewaretoken" value=")[^"]*/g, "$1");

    function isBusy(region) {
        const active = document.activeElement;
        if (active && active.matches("input, textarea, select, [contenteditable]")) return true;
        if (active && active !== document.body && region.contains(active)) return true;
        if (document.querySelector("form[data-sent]")) return true;
        if (region.querySelector("details[open], input:checked")) return true;
        if ([...region.querySelectorAll("input[type=text]")].some((input) => input.value)) return true;
        const chosen = getSelection();
        return !!chosen && !chosen.isCollapsed && region.contains(chosen.anchorNode);
    }

    function say(text, isBad) {
        const status = document.getElementById("sb-refresh");
        if (status.textContent === text) return;
        status.textContent = text;
        status.className = isBad ? "sb-banner sb-warn" : "sb-unseen";
    }

    function put(fresh) {
        for (const region of document.querySelectorAll(REGIONS)) {
            const now = fresh.getElementById(region.id);
            if (!now || isBusy(region) || plain(now.innerHTML) === plain(region.innerHTML)) continue;
            const isNews = now.dataset.says && now.dataset.says !== region.dataset.says;
            region.replaceChildren(...now.childNodes);
            region.dataset.says = now.dataset.says || "";
            if (isNews) say(now.dataset.says, false);
        }
    }

    async function refresh() {
        const regions = [...document.querySelectorAll(REGIONS)];
        if (document.hidden || regions.every(isBusy)) return;
        try {
            const answer = await fetch(location.href, { headers: { "X-Refresh": "1" } });
            if (answer.redirected || answer.status === 401 || answer.status === 403) {
                clearInterval(timer);
                say("You are logged out, so this page stands still. Log in again to go on.", true);
                return;
            }
            if (!answer.ok) throw new Error(answer.status);
            put(new DOMParser().parseFromString(await answer.text(), "text/html"));
            if (misses > 2) say("Up to date again.", false);
            misses = 0;
            last = Date.now();
        } catch {
            misses += 1;
            if (misses > 2) say(`No answer for a while: this is as of ${new Date(last).toLocaleTimeString()}.`, true);
        }
    }

    document.addEventListener("DOMContentLoaded", () => {
        const first = document.querySelector(REGIONS);
        if (!first) return;
        const status = document.createElement("p");
        status.id = "sb-refresh";
        status.className = "sb-unseen";
        status.setAttribute("role", "status");
        first.before(status);
        timer = setInterval(refresh, 1000 * Math.max(5, Number(first.dataset.refresh) || 15));
        document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
    });
})();
