// Brings what is under way up to date: the part named by data-refresh is fetched again every few seconds for as long as
// it says that something is alive. Without JavaScript the page reloads itself.
const refresh = async (part) => {
  try {
    const response = await fetch(part.dataset.refresh, { credentials: "same-origin" });
    if (response.ok && !response.redirected) part.innerHTML = await response.text();
  } catch {
    // The next turn tries again.
  }
  if (part.querySelector("[data-alive]")) setTimeout(refresh, part.dataset.seconds * 1000, part);
};
for (const part of document.querySelectorAll("[data-refresh]")) {
  if (part.querySelector("[data-alive]")) setTimeout(refresh, part.dataset.seconds * 1000, part);
}
