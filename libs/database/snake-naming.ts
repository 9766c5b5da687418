import { DefaultNamingStrategy, type NamingStrategyInterface } from 'typeorm';

/** `receivedAt` in code, `received_at` in SQL. */
export class SnakeNaming extends DefaultNamingStrategy implements NamingStrategyInterface {
  override columnName(propertyName: string, customName: string | undefined): string {
    return customName ?? propertyName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }
}
