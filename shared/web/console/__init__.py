"""The console: pages for people, made on the server. They work without JavaScript and say what the API says."""
