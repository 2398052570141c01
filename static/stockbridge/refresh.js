/* Parts of a page that show the present by themselves: <div id="…" data-refresh="seconds" data-says="…">.

They are asked for anew and put in place, until one comes without data-refresh: then it has nothing more to show. It waits
while nobody looks, while somebody types, chooses or reads what is folded out, and says aloud only what `data-says` has
when that has changed. Without this script, loading the page again shows the same. */
(() => {
    const REGIONS = "[data-refresh]", LEAST_S = 2, MISSES = 3;
    let misses = 0, last = Date.now(), waiting = 0, isAsking = false, isLoggedOut = false;

    const regions = () => [...document.querySelectorAll(REGIONS)];
    const plain = (html) => html.replace(/(csrfmiddlewaretoken" value=")[^"]*/g, "$1");

    /* isLast: it will not come again, so a button that has the keyboard there is no reason to leave it. */
    function isBusy(region, isLast) {
        const active = document.activeElement;
        if (active && active.matches("input, textarea, select, [contenteditable]")) return true;
        if (!isLast && active && active !== document.body && region.contains(active)) return true;
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
        for (const region of regions()) {
            const now = fresh.getElementById(region.id);
            if (!now) continue;
            const isLast = !("refresh" in now.dataset);
            if (isBusy(region, isLast)) continue;
            const isNews = now.dataset.says && now.dataset.says !== region.dataset.says;
            region.dataset.says = now.dataset.says || "";
            if (plain(now.innerHTML) !== plain(region.innerHTML)) region.replaceChildren(...now.childNodes);
            if (isLast) delete region.dataset.refresh;
            if (isNews) say(now.dataset.says, false);
        }
    }

    /* A chart stays what it is, and gets new numbers; the page's own script knows it by its canvas. */
    function redraw(fresh) {
        for (const now of fresh.querySelectorAll(".sb-chart[id]")) {
            const here = document.getElementById(now.id), canvas = here?.querySelector("canvas");
            const chart = canvas && window.Chart?.getChart(canvas), drawn = now.querySelector("canvas").dataset.value;
            if (!chart || canvas.dataset.value === drawn) continue;
            here.hidden = now.hidden;
            canvas.dataset.value = drawn;
            canvas.setAttribute("aria-label", now.querySelector("canvas").getAttribute("aria-label"));
            chart.data = coloured(JSON.parse(drawn));
            chart.update();
        }
    }

    /* The number in the menu is of what the page tells. */
    function recount(fresh) {
        const now = fresh.querySelector("[data-badge]"), here = document.querySelector("[data-badge]");
        if (now && here && now.innerHTML !== here.innerHTML) here.innerHTML = now.innerHTML;
    }

    function coloured(data) {
        const style = getComputedStyle(document.documentElement);
        for (const bars of data.datasets) {
            bars.backgroundColor = style.getPropertyValue(bars.backgroundColor.slice("var(".length, -1)).trim();
        }
        return data;
    }

    async function refresh() {
        if (isAsking || isLoggedOut || document.hidden || regions().every((region) => isBusy(region, true))) return;
        isAsking = true;
        try {
            const answer = await fetch(location.href, { headers: { "X-Refresh": "1" } });
            if (answer.redirected || answer.status === 401 || answer.status === 403) {
                isLoggedOut = true;
                say("You are logged out, so this page stands still. Log in again to go on.", true);
                return;
            }
            if (!answer.ok) throw new Error(answer.status);
            const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
            redraw(fresh);
            recount(fresh);
            put(fresh);
            if (misses >= MISSES) say("Up to date again.", false);
            misses = 0;
            last = Date.now();
        } catch {
            misses += 1;
            if (misses >= MISSES) say(`No answer for a while: this is as of ${new Date(last).toLocaleTimeString()}.`, true);
        } finally {
            isAsking = false;
        }
    }

    function later() {
        const seconds = regions().map((region) => Number(region.dataset.refresh) || LEAST_S);
        if (!seconds.length || isLoggedOut) return;
        waiting = setTimeout(async () => { await refresh(); later(); }, 1000 * Math.max(LEAST_S, Math.min(...seconds)));
    }

    document.addEventListener("DOMContentLoaded", () => {
        const [first] = regions();
        if (!first) return;
        const status = document.createElement("p");
        status.id = "sb-refresh";
        status.className = "sb-unseen";
        status.setAttribute("role", "status");
        first.before(status);
        later();
        document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
        addEventListener("pagehide", () => clearTimeout(waiting));
        addEventListener("pageshow", (event) => { if (event.persisted) later(); });
    });
})();
