/** Built by `npm run site`, which writes src/site.json, the pages and the other files. */
import starlight from '@astrojs/starlight';
import { defineConfig, passthroughImageService } from 'astro/config';
import starlightLinksValidator from 'starlight-links-validator';
import site from './src/site.json' with { type: 'json' };

const [owner] = new URL(site.repository).pathname.split('/').slice(1);

export default defineConfig({
  site: `https://${owner.toLowerCase()}.github.io`,
  base: site.base,
  outDir: site.target,
  image: { service: passthroughImageService() },
  integrations: [
    starlight({
      title: site.title,
      social: [{ icon: 'github', label: 'Repository', href: site.repository }],
      sidebar: site.sidebar,
      components: {
        MarkdownContent: './src/components/MarkdownContent.astro',
        ThemeSelect: './src/components/ThemeSelect.astro',
      },
      customCss: ['./src/styles/site.css'],
      plugins: [starlightLinksValidator({ errorOnLocalLinks: false })],
    }),
  ],
});
