/**
 * The file of a map: its name with ".db", unless it ends so already (sendmail,
 * libsmdb, smdb_add_extension).
 */
export function mapFile(mapName: string): string {
  return mapName.endsWith(".db") ? mapName : `${mapName}.db`;
}
