"""The Tongban backend: people, chat, office records and files behind JMAP; never imports the desktop client."""
