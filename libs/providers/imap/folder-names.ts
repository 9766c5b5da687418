import type { FolderRole } from '#libs/providers/contracts/mail-driver.js';

type NamedRole = Extract<FolderRole, 'sent' | 'drafts' | 'trash' | 'spam' | 'archive'>;

/**
 * Names that mail programs and providers give to folders, language by language; lower case, without decoration (see
 * `bare`). One line per language, names separated by bars. A name stands under one role only: the spec checks that.
 */
const spellings: Readonly<Record<NamedRole, readonly string[]>> = {
  sent: [
    'sent|outgoing|sent-mail|sentbox|sentmail', // English
    'gesendet|gesendete|gesendete objekte|gesendete elemente|gesendete nachrichten|postausgang', // German
    'envoyé|envoyés|éléments envoyés|messages envoyés|courrier envoyé|objets envoyés', // French
    'enviado|enviados|enviada|enviadas|elementos enviados|mensajes enviados', // Spanish
    'itens enviados|mensagens enviadas|correio enviado', // Portuguese
    'inviata|inviati|inviate|posta inviata|elementi inviati|messaggi inviati', // Italian
    'verzonden|verstuurd|verzonden items|verzonden objecten|verzonden berichten', // Dutch
    'skickat|skickade|skickade objekt', // Swedish
    'sendt|sendte|sendte elementer|sendt post', // Danish, Norwegian
    'lähetetyt|lähetetty|lähetetyt viestit', // Finnish
    'send|sendir|send atriði', // Icelandic
    'wysłane|elementy wysłane|poczta wysłana', // Polish
    'odeslané|odeslaná pošta|odeslaná|odoslané|odoslaná pošta', // Czech, Slovak
    'elküldött|elküldött elemek|elküldött üzenetek', // Hungarian
    'trimise|elemente trimise|mesaje trimise', // Romanian
    'poslano|poslane stavke|poslana pošta|poslato|poslate stavke|poslane poruke', // Slovene, Croatian, Serbian
    'послато|послате поруке|испратени', // Serbian, Macedonian
    'изпратени|изпратени писма|изпратени елементи', // Bulgarian
    'отправленные|отправлено|исходящие', // Russian
    'надіслані|відправлені|надіслано', // Ukrainian
    'адпраўленыя|дасланыя', // Belarusian
    'išsiųsta|išsiųsti|išsiųsti laiškai', // Lithuanian
    'nosūtītie|nosūtītās|nosūtītie vienumi', // Latvian
    'saadetud|saadetud kirjad|saadetud üksused', // Estonian
    'gönderilmiş|gönderilenler|gönderilen|gönderilmiş öğeler|giden kutusu', // Turkish
    'απεσταλμένα|σταλμένα|απεσταλμένη αλληλογραφία', // Greek
    'enviats|elements enviats|bidalitakoak|bidaliak', // Catalan, Basque
    'נשלח|דואר שנשלח|פריטים שנשלחו', // Hebrew
    'المرسل|مرسل|العناصر المرسلة|البريد المرسل|البريد المُرسل|المرسلة', // Arabic
    'ارسال شده|فرستاده شده|ارسالی', // Persian
    '送信済み|送信済みアイテム|送信済みメール|送信箱', // Japanese
    '已发送|已发送邮件|已发邮件|发件箱|已傳送|寄件備份|寄件匣|寄件夾|已寄郵件|已傳送郵件', // Chinese
    '보낸편지함|보낸 편지함|보낸메일함|보낸 메일함|발신함|보낸 항목', // Korean
    'đã gửi|thư đã gửi|mục đã gửi', // Vietnamese
    'terkirim|pesan terkirim|item terkirim|dihantar|item dihantar', // Indonesian, Malay
    'ส่งแล้ว|รายการที่ส่ง|จดหมายที่ส่ง', // Thai
    'भेजे गए|भेजी गई|प्रेषित', // Hindi
  ],
  drafts: [
    'draft|drafts|draftbox|unsent',
    'entwurf|entwürfe',
    'brouillon|brouillons',
    'borrador|borradores',
    'rascunho|rascunhos',
    'bozza|bozze',
    'concept|concepten|ontwerp|ontwerpen',
    'utkast|utkaster',
    'kladde|kladder|udkast',
    'luonnos|luonnokset',
    'drög|uppköst',
    'kopie robocze|wersje robocze|robocze|szkice',
    'koncept|koncepty|rozepsané|rozpísané',
    'piszkozat|piszkozatok',
    'ciornă|ciorne|schițe',
    'osnutek|osnutki|nacrt|nacrti|skice|radne verzije',
    'нацрти|недовршено|скици',
    'чернови|чернова',
    'черновик|черновики',
    'чернетка|чернетки',
    'чарнавікі',
    'juodraštis|juodraščiai',
    'melnraksts|melnraksti',
    'mustand|mustandid',
    'taslak|taslaklar',
    'πρόχειρα|πρόχειρο',
    'esborranys|zirriborroak',
    'טיוטה|טיוטות',
    'مسودة|مسودات|المسودات',
    'پیش‌نویس|پیش‌نویس‌ها|پیش نویس',
    '下書き|草稿',
    '草稿箱|草稿夹|草稿匣|草稿夾',
    '임시보관함|임시 보관함|임시저장|초안|초안함',
    'thư nháp|nháp|bản nháp',
    'draf|konsep',
    'ร่าง|แบบร่าง|จดหมายร่าง',
    'ड्राफ़्ट|ड्राफ्ट|मसौदा',
  ],
  trash: [
    'trash|deleted|deleted objects|bin|rubbish|wastebasket|recycle bin|trashbox|trashcan',
    'papierkorb|gelöscht|gelöschte|gelöschte objekte|gelöschte elemente',
    'corbeille|éléments supprimés|messages supprimés|supprimés|poubelle',
    'papelera|eliminados|elementos eliminados|papelera de reciclaje|basura',
    'lixo|lixeira|itens excluídos|itens eliminados|excluídos|reciclagem',
    'cestino|posta eliminata|elementi eliminati|eliminati|eliminata',
    'prullenbak|prullenmand|verwijderd|verwijderde items|verwijderde berichten',
    'papperskorg|papperskorgen|borttaget|borttagna|borttagna objekt',
    'papirkurv|papirkurven|slettet|slettede|slettet post|slettede elementer|søppel|søppelkurv',
    'roskakori|poistetut|poistetut viestit',
    'rusl|ruslakarfa|eytt',
    'kosz|usunięte|elementy usunięte|śmietnik',
    'koš|kôš|odstraněná pošta|odstraněné|odstránené|odpadky',
    'kuka|lomtár|törölt|törölt elemek|szemetes',
    'coș de gunoi|coş|coș|elemente șterse|gunoi|șterse',
    'izbrisano|izbrisane stavke|obrisano|otpad|smeće|kanta',
    'смеће|отпад|обрисано|избришани',
    'кошче|изтрити|изтрити елементи',
    'корзина|удаленные|удалённые|удаленное',
    'кошик|видалені|видалене',
    'сметніца|выдаленыя',
    'šiukšliadėžė|šiukšlinė|ištrinta|ištrinti',
    'miskaste|atkritne|izdzēstie',
    'prügikast|prügi|kustutatud',
    'çöp|çöp kutusu|silinmiş|silinenler|silinmiş öğeler',
    'κάδος|κάδος απορριμμάτων|διαγραμμένα|απορρίμματα',
    'paperera|eliminats|zakarrontzia|ezabatuak',
    'אשפה|פריטים שנמחקו|נמחקו',
    'المهملات|سلة المهملات|العناصر المحذوفة|المحذوفات|محذوفات',
    'زباله|سطل زباله|زباله‌دان|حذف شده',
    'ゴミ箱|ごみ箱|削除済みアイテム|削除済み',
    '已删除|已删除邮件|废件箱|垃圾桶|垃圾筒|已刪除|刪除的郵件|已刪除郵件|回收站|資源回收筒',
    '휴지통|지운편지함|지운 편지함|삭제된 항목|지운 메일함',
    'thùng rác|đã xóa|mục đã xóa',
    'sampah|tong sampah|terhapus|item terhapus',
    'ถังขยะ|รายการที่ถูกลบ',
    'कचरा|ट्रैश|हटाए गए',
  ],
  spam: [
    'spam|junk|bulk|bulk mail|junk e-mail|junkmail|spambox|quarantine|unsolicited',
    'werbung|unerwünscht|unerwünschte werbung|spamverdacht',
    'indésirable|indésirables|courrier indésirable|pourriel|pourriels',
    'correo no deseado|no deseado|correo basura',
    'lixo eletrônico|lixo eletrónico|lixo electrónico|correio não solicitado|não desejado',
    'posta indesiderata|indesiderata|indesiderati',
    'ongewenst|ongewenste e-mail|ongewenste mail|reclame',
    'skräppost|skräp',
    'uønsket|uønsket e-post|uønsket post|søppelpost|reklame',
    'roskaposti',
    'ruslpóstur',
    'wiadomości-śmieci|śmieci|niechciane',
    'nevyžádaná pošta|nevyžádané|nevyžiadaná pošta|nevyžiadané',
    'levélszemét|kéretlen|kéretlen levelek',
    'mesaje nedorite|nedorite',
    'neželena pošta|neželeno|neželjeno|bezvrijedna pošta|neželjena pošta',
    'нежељено|нежељена пошта|несакани',
    'нежелана поща|спам',
    'нежелательная почта|нежелательное|рассылки и спам',
    'небажана пошта|небажані',
    'непажаданая пошта',
    'brukalas|šlamštas|nepageidaujami',
    'mēstules|nevēlamais|surogātpasts',
    'rämpspost|rämps',
    'istenmeyen|gereksiz|gereksiz e-posta|önemsiz|önemsiz e-posta',
    'ανεπιθύμητα|ανεπιθύμητη αλληλογραφία',
    'correu brossa|zabor-posta',
    'דואר זבל|זבל|ספאם',
    'البريد غير الهام|البريد العشوائي|بريد غير مرغوب|غير مرغوب فيه|سبام',
    'هرزنامه|جفنگ',
    '迷惑メール|迷惑',
    '垃圾邮件|垃圾箱|垃圾郵件|垃圾郵件匣|垃圾信件匣|垃圾信件|广告邮件',
    '스팸|스팸메일함|스팸 메일함|스팸편지함|정크 메일|광고메일함',
    'thư rác',
    'spam mail|surat sampah',
    'สแปม|จดหมายขยะ|อีเมลขยะ',
    'स्पैम|जंक',
  ],
  archive: [
    'archive|archives|archived',
    'archiv|archivierte',
    'archivés',
    'archivo|archivos|archivado|archivados',
    'arquivo|arquivos|arquivado|arquivo morto',
    'archivio|archiviati|archiviata',
    'archief|gearchiveerd',
    'arkiv|arkiverat|arkiverade|arkivert|arkiveret',
    'arkisto|arkistoidut',
    'safn|geymsla',
    'archiwum|zarchiwizowane',
    'archív|archivované',
    'archívum|archivált',
    'arhivă|arhiva|arhivate',
    'arhiv|arhivirano',
    'архива|архив|архивирани',
    'архіў|архів|архивные',
    'archyvas|archyvuota',
    'arhīvs|arhivētie',
    'arhiivid|arhiiv',
    'arşiv|arşivlenmiş|arşivlenenler',
    'αρχείο|αρχειοθήκη|αρχειοθετημένα',
    'arxiu|artxiboa|artxibatuak',
    'ארכיון',
    'أرشيف|الأرشيف|ارشيف|الارشيف',
    'بایگانی|آرشیو',
    'アーカイブ',
    '归档|存档|封存|封存郵件|已归档|典藏',
    '보관함|보관편지함|아카이브|보관',
    'lưu trữ|kho lưu trữ',
    'arsip|diarsipkan|arkib',
    'ที่เก็บถาวร|เก็บถาวร|คลังเก็บ',
    'संग्रह|पुरालेख',
  ],
};

const namesOf = (role: NamedRole) => spellings[role].flatMap((language) => language.split('|'));

export const namesByRole: Readonly<Record<NamedRole, readonly string[]>> = {
  sent: namesOf('sent'),
  drafts: namesOf('drafts'),
  trash: namesOf('trash'),
  spam: namesOf('spam'),
  archive: namesOf('archive'),
};

/** Words that only dress a name: `Sent Mail`, `My Drafts`, `Deleted Messages (1)`. */
const decoration: ReadonlySet<string> = new Set(
  'mail|mails|email|emails|e-mail|e-mails|message|messages|item|items|folder|box|my|the|local|imap|messaging'.split(
    '|',
  ),
);

const roleByKnownName: ReadonlyMap<string, NamedRole> = new Map(
  (Object.keys(namesByRole) as NamedRole[]).flatMap((role) => namesByRole[role].map((name) => [fold(name), role])),
);

/** What a folder is for, judged by the last part of its name alone; null when the name says nothing we know. */
export function roleByName(name: string): NamedRole | null {
  const folded = fold(name.slice(0, 200));
  return roleByKnownName.get(folded) ?? roleByKnownName.get(bare(folded)) ?? null;
}

/** One spelling for all that look alike: wide and compatibility forms (NFKC), case, spaces, underscores. */
function fold(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('i\u0307', 'i') // what a Turkish capital İ becomes
    .replaceAll(/[_\s]+/g, ' ')
    .trim();
}

/** The name without brackets, numbers and words that only dress it. */
function bare(folded: string): string {
  const words = folded.replaceAll(/[()[\]{}<>0-9.:,'"]+/g, ' ').split(' ');
  return words.filter((word) => word !== '' && !decoration.has(word)).join(' ');
}
