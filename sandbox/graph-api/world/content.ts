/** The kinds of posts of a world, in an account's posting order. */
export interface PostKind {
  readonly name: string;
  readonly mediaType: 'IMAGE' | 'VIDEO' | 'CAROUSEL_ALBUM';
  readonly productType: 'FEED' | 'REELS';
  readonly altText?: boolean;
  readonly hiddenLikes?: boolean;
  readonly withoutCaption?: boolean;
  readonly copyrighted?: boolean;
  readonly commentsDisabled?: boolean;
}

/** Repeated in order, so that a dozen posts of one account show every kind. */
export const POST_KINDS: readonly [PostKind, ...PostKind[]] = [
  { name: 'image', mediaType: 'IMAGE', productType: 'FEED' },
  { name: 'reel', mediaType: 'VIDEO', productType: 'REELS' },
  { name: 'album', mediaType: 'CAROUSEL_ALBUM', productType: 'FEED' },
  { name: 'second reel', mediaType: 'VIDEO', productType: 'REELS' },
  { name: 'described image', mediaType: 'IMAGE', productType: 'FEED', altText: true },
  { name: 'image with hidden likes', mediaType: 'IMAGE', productType: 'FEED', hiddenLikes: true },
  { name: 'silent reel', mediaType: 'VIDEO', productType: 'REELS', withoutCaption: true },
  {
    name: 'closed album',
    mediaType: 'CAROUSEL_ALBUM',
    productType: 'FEED',
    withoutCaption: true,
    commentsDisabled: true,
  },
  { name: 'copyrighted reel', mediaType: 'VIDEO', productType: 'REELS', copyrighted: true },
  { name: 'image without caption', mediaType: 'IMAGE', productType: 'FEED', withoutCaption: true },
  {
    name: 'album with hidden likes',
    mediaType: 'CAROUSEL_ALBUM',
    productType: 'FEED',
    hiddenLikes: true,
  },
];

/** A video from before 2022-07, when feed videos became reels. */
export const FEED_VIDEO: PostKind = {
  name: 'feed video',
  mediaType: 'VIDEO',
  productType: 'FEED',
};

/**
 * Captions with characters that break naive encoders: emoji, right-to-left, line breaks, quotes,
 * percent.
 */
export const CAPTIONS: readonly [string, ...string[]] = [
  'A quiet morning by the river.',
  'Sunset over the harbour 🌅✨ #sunset #harbour',
  'שבת שלום לכולם 🕯️ #שבת',
  'مرحبا بكم في متجرنا الجديد ☕️',
  'Two lines,\nand a third\n\n— with a dash.',
  'Save 20% this week & next: "the blue one" is <back> in stock / limited',
  '日本語のキャプション、そして絵文字 🍣🍜',
  'Família reunida 👨‍👩‍👧‍👦 no domingo à tarde',
  'Back\\slash and\ttab survive too',
  'Štěpán a Pavel rozhodli: příliš žluťoučký kůň 🐎',
  'Tap the link in bio! @friends_of_the_house #newin',
  '🎉',
];

export const NAMES: readonly [string, ...string[]] = [
  'Harbour Bakery',
  'Nordlicht Cycles',
  'Casa Verde',
  'Blue Door Books',
  'Kaffee & Kuchen',
  'Studio Öst',
  'Trail & Tarn',
  'Petit Atelier',
];

export const COUNTRIES: readonly string[] = [
  'US',
  'DE',
  'BR',
  'IN',
  'GB',
  'FR',
  'ES',
  'IT',
  'MX',
  'JP',
  'CZ',
  'PL',
  'NL',
  'SE',
  'AR',
  'TR',
  'ID',
  'CA',
  'AU',
  'PT',
  'AT',
  'CH',
  'BE',
  'IL',
  'EG',
];

export const CITIES: readonly string[] = [
  'New York, New York',
  'Los Angeles, California',
  'Berlin, Berlin',
  'Hamburg, Hamburg',
  'Munich, Bavaria',
  'São Paulo, São Paulo (state)',
  'Rio de Janeiro, Rio de Janeiro (state)',
  'Mumbai, Maharashtra',
  'Delhi, Delhi',
  'London, England',
  'Manchester, England',
  'Paris, Île-de-France',
  "Marseille, Provence-Alpes-Côte d'Azur",
  'Lyon, Rhône-Alpes',
  'Madrid, Comunidad de Madrid',
  'Barcelona, Cataluña',
  'Rome, Lazio',
  'Milan, Lombardia',
  'Mexico City, Distrito Federal',
  'Tokyo, Tokyo',
  'Osaka, Osaka',
  'Prague, Hlavní město Praha',
  'Brno, Jihomoravský kraj',
  'Warsaw, Masovian Voivodeship',
  'Kraków, Lesser Poland Voivodeship',
  'Amsterdam, Noord-Holland',
  'Stockholm, Stockholm County',
  'Buenos Aires, Ciudad de Buenos Aires',
  'Istanbul, Istanbul Province',
  'Jakarta, Jakarta',
  'Toronto, Ontario',
  'Montréal, Quebec',
  'Sydney, New South Wales',
  'Melbourne, Victoria',
  'Lisbon, Lisboa',
  'Porto, Porto District',
  'Vienna, Vienna',
  'Zürich, Zürich',
  'Brussels, Brussels',
  'Tel Aviv, Tel Aviv District',
  'Cairo, Cairo Governorate',
  'Chicago, Illinois',
  'Houston, Texas',
  'Seattle, Washington',
  'Dublin, Dublin',
  'Oslo, Oslo',
  'Copenhagen, Capital Region of Denmark',
  'Helsinki, Uusimaa',
];

export const AGES: readonly string[] = [
  '13-17',
  '18-24',
  '25-34',
  '35-44',
  '45-54',
  '55-64',
  '65+',
];
export const GENDERS: readonly string[] = ['F', 'M', 'U'];
