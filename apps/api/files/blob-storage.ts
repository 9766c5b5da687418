import type { Request, Response } from 'express';
import multer, { type MulterError, type StorageEngine } from 'multer';

import type { BlobRef, BlobStore } from '#libs/blobs/blob-store.js';
import { DomainError, InvalidRequest } from '#libs/common/errors.js';
import type { Upload } from '#libs/domain/files/uploads.service.js';

const MOST_FILES = 100;
const MOST_FIELDS = 100;
const FIELD_BYTES = 65_536;
const NAME_BYTES = 1024;

type StoredFile = Express.Multer.File & { readonly blob: BlobRef };

/** Streams parts into the blob store: however big, little of them is in memory. */
class BlobStorage implements StorageEngine {
  constructor(private readonly blobs: BlobStore) {}

  _handleFile(
    _request: Request,
    file: Express.Multer.File,
    done: (error?: unknown, info?: Partial<StoredFile>) => void,
  ): void {
    this.blobs.put(file.stream).then(
      (blob) => done(null, { size: blob.size, blob }),
      (error: unknown) => done(error),
    );
  }

  /** Of a request that failed. Equal bytes may belong to others, so the hourly cleaning decides. */
  _removeFile(_request: Request, _file: Express.Multer.File, done: (error: Error | null) => void): void {
    done(null);
  }
}

/**
 * Reads the files of a multipart request, under whatever field names.
 * @throws InvalidRequest when it is none or has no file; DomainError 413 when there is too much of something
 */
export async function receiveFiles(
  request: Request,
  response: Response,
  blobs: BlobStore,
  limitMb: number,
): Promise<Upload[]> {
  if (!request.is('multipart/form-data')) throw new InvalidRequest('Files must be sent as multipart/form-data.');
  const limits = {
    fileSize: limitMb * 1_048_576,
    files: MOST_FILES,
    fields: MOST_FIELDS,
    fieldSize: FIELD_BYTES,
    fieldNameSize: NAME_BYTES,
    parts: MOST_FILES + MOST_FIELDS,
  };
  const receive = multer({ storage: new BlobStorage(blobs), limits, defParamCharset: 'utf8' }).any();
  await new Promise<void>((resolve, reject) => {
    receive(request, response, (error: unknown) => (error ? reject(refusal(error, limitMb)) : resolve()));
  });
  const files = (request.files ?? []) as StoredFile[];
  if (files.length === 0) throw new InvalidRequest('The request has no file in it.');
  return files.map(({ originalname, mimetype, blob }) => ({
    filename: originalname === '' ? null : originalname.replaceAll('\0', ''),
    contentType: mimetype.toLowerCase(),
    blob,
  }));
}

function refusal(error: unknown, limitMb: number): unknown {
  if (!(error instanceof multer.MulterError)) return error;
  const { code }: MulterError = error;
  const excess = { ...TOO_MUCH, LIMIT_FILE_SIZE: `A file may have at most ${limitMb} MB.` }[code as string];
  if (excess !== undefined) return new DomainError(413, 'invalid_request_error', excess);
  return new InvalidRequest(`The files cannot be read: ${error.message}.`);
}

const TOO_MUCH: Readonly<Record<string, string>> = {
  LIMIT_FILE_COUNT: `A request may have at most ${MOST_FILES} files.`,
  LIMIT_FIELD_COUNT: `A request may have at most ${MOST_FIELDS} fields beside its files.`,
  LIMIT_FIELD_VALUE: `A field beside the files may have at most ${FIELD_BYTES} bytes.`,
  LIMIT_FIELD_KEY: `The name of a field may have at most ${NAME_BYTES} bytes.`,
  LIMIT_PART_COUNT: `A request may have at most ${MOST_FILES + MOST_FIELDS} parts.`,
};
