// Small comforts of the pages; everything works without them.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1600);
  });
}

// The link of an invitation holds its token behind #, which no server is sent: into the form, out of the address.
const invitation = new URLSearchParams(location.hash.slice(1)).get("invitation");
const token = document.getElementById("invitation");
if (invitation && token) {
  token.value = invitation;
  history.replaceState(null, "", location.pathname + location.search);
  token.focus();
}
