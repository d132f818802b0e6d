// Lint: what the compiler does not see. Formatting is biome's; types are tsc's.
import node from 'eslint-plugin-n';
import tseslint from 'typescript-eslint';

const noClock = 'time is an argument: take it from a Clock (src/base/clock.ts)';
const noDefault = 'an export has one name, the same wherever it is imported';
const noChance = 'randomness is an argument: take it from whoever made you';

const defaultExport = ':matches(ExportDefaultDeclaration, ExportSpecifier[exported.name="default"])';
const ownTime = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: noClock },
  { selector: "CallExpression[callee.name='Date']", message: noClock },
];

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'generated/', 'data/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { n: node },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Our objects are closures without `this`: their methods may be taken out.
      '@typescript-eslint/unbound-method': 'off',
      'n/no-process-env': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
      complexity: ['error', { max: 12, variant: 'modified' }], // an exhaustive switch counts once
      'max-depth': ['error', 3],
      'max-params': ['error', 4],
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 60],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: noClock },
        { object: 'Math', property: 'random', message: noChance },
      ],
      'no-restricted-syntax': ['error', ...ownTime, { selector: defaultExport, message: noDefault }],
    },
  },
  {
    // The process itself: the one place that reads its environment, and its source of chance.
    files: ['src/main.ts'],
    rules: { 'n/no-process-env': 'off' },
  },
  {
    // Tests tell long stories, look into answers whose shape they assert, and speak to the process that runs them.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      complexity: 'off',
      'max-params': 'off',
      '@typescript-eslint/require-await': 'off',
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      // Default exports are what jest and some packages want.
      'no-restricted-syntax': ['error', ...ownTime],
      'n/no-process-env': 'off',
      'no-console': 'off',
    },
  },
);
