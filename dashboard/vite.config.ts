import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Every address in the build is relative: the server says in the page where it stands. */
export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
  },
  server: {
    // `npm run dev` beside a server on its usual port.
    proxy: Object.fromEntries(['/me', '/about', '/jobs', '/batches', '/runs', '/executions', '/approvals', '/schedules', '/live', '/openapi.json'].map((path) => [path, 'http://127.0.0.1:3000'])),
  },
});
