//! `README.txt` and `LISEZMOI.txt`: what this is, and the exact commands to check it.

/// What the two texts name.
pub struct Naming<'a> {
    /// The operation's id.
    pub operation: &'a str,
    /// The exporting agency's id, which is in the name of its signature file.
    pub agency: &'a str,
    /// The key that signed, as ssh-keygen shows it.
    pub fingerprint: &'a str,
    /// When it was exported, RFC 3339.
    pub at: &'a str,
    /// References of the records.
    pub records: &'a str,
    /// Whether a time stamp is enclosed.
    pub stamped: bool,
}

/// The command of OpenSSL for an enclosed time stamp (RFC 3161).
const STAMP: &str = "\
  openssl ts -verify -data tagmanifest-sha256.txt -in signatures/tagmanifest-sha256.txt.tsr \\
    -CAfile signatures/tsa-chain.pem
";

/// The English text.
pub fn english(n: &Naming<'_>) -> String {
    let Naming { operation, agency, fingerprint, at, records, .. } = n;
    let mut text = format!(
        "\
DOSSIER

Records:     {records}
Exported:    {at} by {agency}
Operation:   {operation}
Signed by:   {fingerprint}

WHAT THIS IS
A copy of the records named above, as they were signed, entry by entry, by those who wrote them.
Nothing here proves that what they wrote is true. What can be proved is who wrote it, in which order,
that nothing was changed since, and what is missing or was left out.

  data/case/report.html     to read and print; made from the entries; start here
  data/case/<record>/       each entry exactly as it was signed, and its envelope
  data/evidence/            exhibits: original.* is the file as it was acquired, byte for byte
  data/chain/               the signed outsides of the authors' other entries, without their content
  data/roster/              who was admitted to write, by whom, with which rights
  data/timeline.csv         all entries in order, for a spreadsheet; made from the entries
  data/schemas/             the forms and code lists that were used
  signatures/               signatures over everything

TO CHECK IT IN FULL
You need a trust file. It must reach you by another way than this dossier: from your own institution,
or from one that you trust.

  intact-verify DOSSIER --trust FILE

The first line says INTACT, INTACT, WITH GAPS, or NOT INTACT.

TO CHECK IT WITH WHAT YOUR COMPUTER HAS
In a terminal, in the folder that holds bagit.txt:

  sha256sum -c manifest-sha256.txt
  sha512sum -c manifest-sha512.txt
  sha256sum -c tagmanifest-sha256.txt
  sha256sum -c signatures/seal.txt

Each line must end in OK. (On macOS: shasum -a 256 -c and shasum -a 512 -c.) Then the signature:

  ssh-keygen -Y verify -f signatures/allowed_signers -I {agency} -n evidence-bundle@v1 \\
    -s signatures/tagmanifest-sha256.txt.{agency}.sig < tagmanifest-sha256.txt
  ssh-keygen -Y verify -f signatures/allowed_signers -I {agency} -n evidence-bundle@v1 \\
    -s signatures/seal.txt.sig < signatures/seal.txt

Both must say \"Good\" and name the key {fingerprint}.
Compare it, by another way, with the key that {agency} gives you: the list in
signatures/allowed_signers is a copy for convenience and proves nothing by itself.
These tools do not see a file that was added, and do not check the single entries. intact-verify does.
"
    );
    if n.stamped {
        text.push_str("\nA time stamp is enclosed. Whose, and whether you trust it, its certificates say:\n\n");
        text.push_str(STAMP);
    }
    text
}

/// The French text.
pub fn french(n: &Naming<'_>) -> String {
    let Naming { operation, agency, fingerprint, at, records, .. } = n;
    let mut text = format!(
        "\
DOSSIER

Enregistrements : {records}
Exporté :         {at} par {agency}
Opération :       {operation}
Signé par :       {fingerprint}

CE QUE C'EST
Une copie des enregistrements nommés ci-dessus, tels qu'ils ont été signés, entrée par entrée, par leurs
auteurs. Rien ici ne prouve que ce qu'ils ont écrit est vrai. Ce qui peut être prouvé : qui l'a écrit, dans
quel ordre, que rien n'a été modifié depuis, et ce qui manque ou a été laissé de côté.

  data/case/report.html     à lire et à imprimer ; tiré des entrées ; commencer ici
  data/case/<dossier>/      chaque entrée exactement comme elle a été signée, et son enveloppe
  data/evidence/            pièces : original.* est le fichier tel qu'il a été recueilli, octet par octet
  data/chain/               l'extérieur signé des autres entrées des auteurs, sans leur contenu
  data/roster/              qui a été admis à écrire, par qui, avec quels droits
  data/timeline.csv         toutes les entrées dans l'ordre, pour un tableur ; tiré des entrées
  data/schemas/             les formulaires et listes de codes utilisés
  signatures/               les signatures sur l'ensemble

POUR TOUT VÉRIFIER
Il faut un fichier de confiance. Il doit vous parvenir par une autre voie que ce dossier : de votre
propre institution, ou d'une institution en qui vous avez confiance.

  intact-verify DOSSIER --trust FICHIER

La première ligne dit INTACT (intact), INTACT, WITH GAPS (intact, avec des lacunes) ou NOT INTACT (pas
intact).

POUR VÉRIFIER AVEC CE QUE VOTRE ORDINATEUR POSSÈDE
Dans un terminal, dans le répertoire qui contient bagit.txt :

  sha256sum -c manifest-sha256.txt
  sha512sum -c manifest-sha512.txt
  sha256sum -c tagmanifest-sha256.txt
  sha256sum -c signatures/seal.txt

Chaque ligne doit finir par OK. (Sous macOS : shasum -a 256 -c et shasum -a 512 -c.) Puis la signature :

  ssh-keygen -Y verify -f signatures/allowed_signers -I {agency} -n evidence-bundle@v1 \\
    -s signatures/tagmanifest-sha256.txt.{agency}.sig < tagmanifest-sha256.txt
  ssh-keygen -Y verify -f signatures/allowed_signers -I {agency} -n evidence-bundle@v1 \\
    -s signatures/seal.txt.sig < signatures/seal.txt

Les deux doivent dire « Good » et nommer la clé {fingerprint}.
Comparez-la, par une autre voie, à la clé que {agency} vous donne : la liste signatures/allowed_signers
est une copie de commodité et ne prouve rien par elle-même.
Ces outils ne voient pas un fichier ajouté et ne vérifient pas chaque entrée. intact-verify le fait.
"
    );
    if n.stamped {
        text.push_str("\nUn horodatage est joint. De qui, et s'il mérite confiance, ses certificats le disent :\n\n");
        text.push_str(STAMP);
    }
    text
}
