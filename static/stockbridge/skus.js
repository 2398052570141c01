/* A SKU that another product has is named while it is typed. What counts is the check when the form is saved. */
const WAIT = 400;

document.querySelectorAll("[data-skus]").forEach((field) => {
    const told = document.createElement("p");
    told.className = "sb-error";
    told.setAttribute("aria-live", "polite");
    told.id = `${field.id}_taken`;
    field.after(told);
    field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") || ""} ${told.id}`.trim());
    let timer = 0;
    let asked = 0;
    field.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(look, WAIT);
    });

    async function look() {
        const number = ++asked;
        const query = new URLSearchParams({ codes: field.value, product: field.dataset.product });
        try {
            const answer = await fetch(`${field.dataset.skus}?${query}`, { headers: { Accept: "application/json" } });
            const found = answer.ok ? await answer.json() : { taken: [] };
            if (number === asked) told.textContent = found.taken.join(" ");
        } catch {
            if (number === asked) told.textContent = "";
        }
    }
});
