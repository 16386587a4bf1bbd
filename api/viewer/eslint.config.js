import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "cesium", "eslint.config.js"] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // An array's or a record's element may be missing, which its type does not tell.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // `return done();` ends a function early.
      "@typescript-eslint/no-confusing-void-expression": "off",
      // Meshes are told apart by `isMesh`, as three.js means it.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true, varsIgnorePattern: "^_$" }],
    },
  },
);
