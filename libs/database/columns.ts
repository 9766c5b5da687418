import { Column, type ColumnOptions, PrimaryColumn } from 'typeorm';

/**
 * Text compared byte by byte, whatever the database's locale: ids then sort by time and their indexes are cheap
 * (docs/adr/0003-text-ids.md).
 */
export const BytewiseColumn = (options: ColumnOptions = {}): PropertyDecorator =>
  Column('text', { collation: 'C', ...options });

/** One column of a primary key; every column of one table names the same constraint. */
export const KeyColumn = (constraint: string): PropertyDecorator =>
  PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: constraint });

export const TimeColumn = (options: ColumnOptions = {}): PropertyDecorator => Column('timestamptz', options);
