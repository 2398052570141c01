document.getElementById("print").addEventListener("click", () => window.print());
document.getElementById("back").addEventListener("click", () => history.back());
