import type { Request, Response } from 'express';
import multer, { type MulterError, type StorageEngine } from 'multer';

import type { BlobRef, BlobStore } from '#libs/blobs/blob-store.js';
import { DomainError, InvalidRequest } from '#libs/common/errors.js';
import type { Upload } from '#libs/domain/files/uploads.service.js';

const MOST_PARTS = 100;

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
 * @throws InvalidRequest when it is none or has no file; DomainError 413 when a file is too big
 */
export async function receiveFiles(
  request: Request,
  response: Response,
  blobs: BlobStore,
  limitMb: number,
): Promise<Upload[]> {
  if (!request.is('multipart/form-data')) throw new InvalidRequest('Files must be sent as multipart/form-data.');
  const limits = { fileSize: limitMb * 1_048_576, files: MOST_PARTS, fields: MOST_PARTS };
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
  if (code === 'LIMIT_FILE_SIZE') {
    return new DomainError(413, 'invalid_request_error', `A file may have at most ${limitMb} MB.`);
  }
  return new InvalidRequest(`The files cannot be read: ${error.message}.`);
}
