// Applies the chosen theme before the first paint; a module would run too late for that.

(() => {
  try {
    const chosen = localStorage.getItem('taoyao.theme');
    if (chosen) document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden: the system's theme is used.
  }
})();
