import type { ErrorName } from './errors.ts';

/** The languages besides English of a caller's locale. */
export type Locale = 'fr' | 'pt';

/** A title and a message for the user, in the caller's language. */
interface UserMessage {
  readonly title: string;
  readonly message: string;
}

/** Texts that Meta translates; on graph.facebook.com the `message` of the error stays English. */
export const TRANSLATIONS: Partial<Record<ErrorName, Record<Locale, UserMessage>>> = {
  'before-conversion': {
    fr: {
      title: 'Contenu publié avant la conversion en compte professionnel',
      message:
        'Ce contenu a été publié avant la dernière conversion du compte personnel de l’utilisateur en compte professionnel.',
    },
    pt: {
      title: 'Mídia publicada antes da conversão para conta comercial',
      // As recorded on graph.instagram.com, 2026-09.
      message:
        'Os conteúdos multimédia foram publicados antes da hora mais recente em que a conta do utilizador foi convertida numa conta comercial a partir de uma conta pessoal.',
    },
  },
  'not-enough-users': {
    fr: {
      title: 'Les données démographiques ne sont pas disponibles',
      message:
        'Vous pourrez en savoir plus sur votre audience lorsque cette statistique comptera plus de 100 personnes dans chaque catégorie.',
    },
    pt: {
      title: 'Os dados demográficos não estão disponíveis',
      message:
        'Você poderá saber mais sobre seu público quando essa métrica tiver mais de 100 pessoas em cada segmentação.',
    },
  },
  'resource-gone': {
    fr: { title: 'Contenu introuvable', message: 'Le contenu demandé est introuvable.' },
    pt: { title: 'Mídia não encontrada', message: 'A mídia solicitada não foi encontrada.' },
  },
  'media-not-found': {
    fr: { title: 'Contenu introuvable', message: 'Le contenu demandé est introuvable.' },
    pt: { title: 'Mídia não encontrada', message: 'A mídia solicitada não foi encontrada.' },
  },
  'user-not-found': {
    fr: { title: 'Utilisateur introuvable', message: 'Cet utilisateur est introuvable.' },
    pt: { title: 'Usuário não encontrado', message: 'Não foi possível encontrar o usuário.' },
  },
};
