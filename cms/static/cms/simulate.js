// Asks for the simulation of what stands in the editor now, saved or not, and shows the answer below the button.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-simulate]");
  if (!button) return;
  const form = button.closest("form");
  const answer = document.getElementById(button.dataset.answer);
  const body = new FormData();
  for (const name of ["csrfmiddlewaretoken", "criteria", "award", "budget_line", "ceiling", "code", "window_from", "window_until"]) {
    const field = form && form.elements.namedItem(name);
    if (field) body.append(name, field.value);
  }
  button.disabled = true;
  answer.setAttribute("aria-busy", "true");
  answer.textContent = button.dataset.busy;
  try {
    const response = await fetch(button.dataset.simulate, { method: "POST", body, credentials: "same-origin" });
    // A redirect leads to the login page: the session has ended.
    if (!response.ok || response.redirected) throw new Error(response.statusText);
    answer.innerHTML = await response.text();
  } catch {
    answer.textContent = button.dataset.failed;
  }
  answer.removeAttribute("aria-busy");
  button.disabled = false;
});
