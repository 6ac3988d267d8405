// Comfort only: every page works without this file. It adds a Copy button to each copyable text, closes an open menu by
// Escape or by a click beside it, and takes what stands behind `#` into the field that waits for it.
(() => {
  "use strict";

  const addCopyButtons = (root) => {
    for (const block of root.querySelectorAll(".copyable:not(:has(.copy))")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button button-small copy";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(block.querySelector("pre").textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(block.querySelector("pre"));
          button.textContent = "Selected";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      block.append(button);
    }
  };

  const closeMenus = (but) => {
    for (const menu of document.querySelectorAll("details.user-menu[open]")) {
      if (menu !== but) menu.open = false;
    }
  };

  // What stands behind `#` reaches no server. It goes into its field and out of the address; on the way to that page, the
  // form to sign in keeps it.
  const takeFragment = () => {
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      const field = document.querySelector(`[data-fragment="${CSS.escape(name)}"]`);
      if (!field) continue;
      field.value = value;
      history.replaceState(null, "", location.pathname + location.search);
      return;
    }
    for (const form of document.querySelectorAll("form[data-keeps-fragment]")) form.action += location.hash;
  };

  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.user-menu")));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });
  document.addEventListener("htmx:load", (event) => addCopyButtons(event.target));
  addCopyButtons(document);
  takeFragment();
})();
