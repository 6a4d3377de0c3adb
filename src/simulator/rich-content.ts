/** What the scripted flow shows a guest whose client can show it, by a word in the guest's message. */

interface RichAnswer {
  text: string
  content: readonly object[]
}

const image = 'https://images.example/catalogue.png'
const link = { type: 'Link', text: 'Read more', url: 'https://shop.example/offers' }
const postback = { type: 'Postback', text: 'Choose this', payload: 'chosen' }

const answers: Readonly<Record<string, RichAnswer>> = {
  options: {
    text: 'Is it about an order?',
    content: ['Yes', 'No'].map((text) => ({
      contentType: 'QuickReply',
      quickReply: { text, payload: text.toLowerCase(), action: 'Message' },
    })),
  },
  card: {
    text: 'Our offer of the day',
    content: [
      {
        contentType: 'Card',
        card: {
          title: 'Standard plan',
          description: 'Good for most',
          image,
          actions: [postback, link],
        },
      },
    ],
  },
  carousel: {
    text: 'Our plans',
    content: [
      {
        contentType: 'Carousel',
        carousel: {
          cards: ['Small', 'Standard', 'Large'].map((title) => ({
            title,
            image,
            actions: [postback],
          })),
        },
      },
    ],
  },
  appointment: {
    text: 'When may we call you?',
    content: [
      {
        contentType: 'DatePicker',
        datePicker: {
          title: 'A call',
          subtitle: 'Half an hour',
          availableTimes: [
            { dateTime: '2030-03-04T09:30Z', duration: 1800 },
            { dateTime: '2030-03-04T10:00Z', duration: 1800 },
          ],
        },
      },
    ],
  },
  list: {
    text: 'What do you need?',
    content: [
      {
        contentType: 'ListPicker',
        listPicker: {
          sections: [
            {
              title: 'Spare parts',
              multipleSelection: true,
              items: [
                { id: 'part-1', title: 'A handle' },
                { id: 'part-2', title: 'A hinge' },
              ],
            },
          ],
          receivedMessage: { title: 'Choose' },
          replyMessage: { title: 'Chosen' },
        },
      },
    ],
  },
  picture: {
    text: 'This is how it looks.',
    content: [
      {
        contentType: 'Attachment',
        attachment: {
          id: '00000000-0000-4000-8000-000000000001',
          mediaType: 'Image',
          url: image,
          filename: 'catalogue.png',
          mime: 'image/png',
        },
      },
    ],
  },
}

/** Undefined when the message asks for nothing of the kind. */
export function richAnswerTo(text: string): RichAnswer | undefined {
  const words = new Set(text.toLowerCase().match(/[a-z]+/g))
  const asked = Object.keys(answers).find((word) => words.has(word))
  return asked === undefined ? undefined : answers[asked]
}
