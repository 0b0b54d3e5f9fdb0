import { defineConfig } from 'vite'

export default defineConfig({
  base: './', // the server may stand below any path
  build: {
    outDir: '../src/chargeloop/console/pages',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 1200, // the map library is one piece
    rollupOptions: { input: ['index.html', 'drive.html'] },
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } }, // `npm run dev` beside a running `chargeloop demo`
})
