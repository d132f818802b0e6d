#!/bin/sh
# Makes the certificates of this folder anew: a chain like that of IGC-Santé (root, intermediate, organisations whose OU is `1` and their
# FINESS), its lists of revoked certificates, and what must be refused. All of it is invented; the keys are worth nothing.
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
authority() { # name, subject, issuer (none: itself)
  key "$work/$1.key"
  : > "$work/$1.index"; echo 01 > "$work/$1.serial"; echo 01 > "$work/$1.number"
  cat > "$work/$1.cnf" <<END
[ca]
default_ca=it
[it]
database=$work/$1.index
serial=$work/$1.serial
crlnumber=$work/$1.number
new_certs_dir=$work
certificate=$work/$1.pem
private_key=$work/$1.key
default_md=sha256
policy=any
unique_subject=no
[any]
commonName=supplied
organizationalUnitName=optional
organizationName=optional
stateOrProvinceName=optional
countryName=optional
[authority]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[client]
basicConstraints=CA:false
extendedKeyUsage=clientAuth
[server]
basicConstraints=CA:false
extendedKeyUsage=serverAuth
subjectAltName=IP:127.0.0.1,DNS:localhost
END
  openssl req -new -key "$work/$1.key" -subj "$2" -out "$work/$1.csr"
  if [ -z "$3" ]; then
    openssl x509 -req -in "$work/$1.csr" -signkey "$work/$1.key" -days 36500 -extfile "$work/$1.cnf" -extensions authority -out "$work/$1.pem"
  else
    issue "$3" "$1" authority 21260101000000Z
  fi
}
issue() { # issuer, name, extensions, end
  openssl ca -batch -notext -preserveDN -config "$work/$1.cnf" -in "$work/$2.csr" -out "$work/$2.pem" -extensions "$3" \
    -startdate 20200101000000Z -enddate "$4" 2> "$work/log" || { cat "$work/log"; exit 1; }
}
leaf() { # issuer, name, subject, extensions, end
  key "$2.key"
  openssl req -new -key "$2.key" -subj "$3" -out "$work/$2.csr"
  issue "$1" "$2" "$4" "$5"
  cp "$work/$2.pem" "$2.pem"
}
hospital='/C=FR/ST=Paris (75)/O=HOPITAL FICTIF/OU=1750712184/CN=dossier.hopital.example'
authority root '/C=FR/O=AUTORITE FICTIVE/CN=RACINE FICTIVE' ''
authority organisations '/C=FR/O=AUTORITE FICTIVE/CN=ORGANISATIONS FICTIVES' root
authority stranger '/C=FR/O=AUTRE AUTORITE/CN=INCONNUE' ''
leaf organisations hospital "$hospital" client 21260101000000Z
leaf organisations other '/C=FR/ST=Rhone (69)/O=CLINIQUE FICTIVE/OU=1690000001/CN=dossier.clinique.example' client 21260101000000Z
leaf organisations expired "$hospital" client 20210101000000Z
leaf organisations revoked "$hospital" client 21260101000000Z
leaf organisations server '/C=FR/O=HOPITAL FICTIF/CN=localhost' server 21260101000000Z
leaf stranger foreign "$hospital" client 21260101000000Z
openssl ca -config "$work/organisations.cnf" -revoke revoked.pem 2> "$work/log"
for one in root organisations; do
  openssl ca -config "$work/$one.cnf" -gencrl -crldays 36500 -out "$work/$one.crl" 2> "$work/log"
done
cat "$work/organisations.pem" "$work/root.pem" > authorities.pem
cat "$work/organisations.crl" "$work/root.crl" > revoked-list.pem
cat "$work/organisations.pem" >> server.pem
