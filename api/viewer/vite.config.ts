import { defineConfig } from "vite";

/** The API serves `dist/index.html` at `/` and the other files under `/viewer/`. */
export default defineConfig({
  base: "/viewer/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022", chunkSizeWarningLimit: 1000, reportCompressedSize: true },
  server: {
    proxy: Object.fromEntries(
      ["/collections", "/datasets", "/3dtiles"].map((path) => [path, "http://127.0.0.1:8000"]),
    ),
  },
});
