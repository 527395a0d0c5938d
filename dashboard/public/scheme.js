// Before the first paint: the colours that were chosen here, else those of the system.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('sluice.scheme');
  } catch (_) {}
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
