// Asks for the simulation of what stands in the editor now, saved or not, and shows the answer below the button.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-simulate]");
  if (!button) return;
  const form = button.closest("form");
  const answer = document.getElementById(button.dataset.answer);
  const body = new FormData();
  for (const name of ["csrfmiddlewaretoken", "criteria", "award", "budget_line", "ceiling"]) {
    const field = form && form.elements.namedItem(name);
    if (field) body.append(name, field.value);
  }
  button.disabled = true;
  answer.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(button.dataset.simulate, { method: "POST", body, credentials: "same-origin" });
    answer.innerHTML = response.ok ? await response.text() : button.dataset.failed;
  } catch {
    answer.textContent = button.dataset.failed;
  }
  answer.removeAttribute("aria-busy");
  button.disabled = false;
});
