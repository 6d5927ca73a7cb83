#!/usr/bin/env python3
"""Support tickets made from templates, 2,000 rows of four queues: the case that docs/your-data.md measures `ssti fit` on.

    python3 tickets.py FOLDER          writes FOLDER/train.csv (1,700 rows) and FOLDER/test.csv (300)
    python3 tickets.py FOLDER --one    writes FOLDER/tickets.csv (2,000 rows)

A ticket has a greeting, one or two sentences and a closing. One sentence in five could stand in any queue, and one ticket in twenty-five is in
another queue than its words say, as people file them: so no model gets all of them right.
"""
import csv, pathlib, random, sys

QUEUES = {
    "account": ["I cannot log in to {thing}", "Please delete my {thing}", "My password for {thing} is not accepted", "How do I change the email of my {thing}",
                "Someone else seems to use my {thing}", "Two of my users lost access to {thing}"],
    "billing": ["Why did the price rise for {thing}", "My card was declined for {thing}", "I was charged twice for {thing}", "Please send the invoice for {thing}",
                "I want my money back for {thing}", "Your receipt for {thing} has the wrong amount"],
    "shipping": ["The parcel with {thing} never arrived", "Where is {thing} that I ordered", "The box of {thing} came damaged", "Please send {thing} to another address",
                 "The courier left {thing} with a neighbour", "Tracking of {thing} has not moved for days"],
    "technical": ["The app crashes when I open {thing}", "{thing} does not load in my browser", "I get error 502 from {thing}", "The update broke {thing}",
                  "{thing} is very slow since Monday", "Exporting {thing} gives an empty file"],
}
ANY = ["I wrote about {thing} last week and heard nothing", "Nobody answers my question about {thing}", "This is the third time that I ask about {thing}"]
THINGS = ["my subscription", "the premium plan", "order 4711", "last month", "the dashboard", "my profile", "the spring sale", "the new version", "the team account",
          "the headphones", "the yearly report", "the mobile app", "the gift card", "the student offer"]
OPEN = ["Hello, ", "Hi team, ", "Good morning. ", "Dear support, ", "", "", "Hey, "]
CLOSE = ["", "", " Thanks!", " Please hurry.", ' "Soon" is no answer', " Best regards", " I am quite annoyed."]


def ticket(random):
    queue = random.choice(list(QUEUES))
    sentences = [random.choice(QUEUES[queue])] + ([random.choice(ANY)] if random.random() < 0.4 else [])
    if random.random() < 0.05: sentences = [random.choice(ANY)]
    random.shuffle(sentences)
    body = ". ".join(sentence.format(thing=random.choice(THINGS)) for sentence in sentences)
    filed = random.choice(list(QUEUES)) if random.random() < 0.04 else queue
    return random.choice(OPEN) + body[0].upper() + body[1:] + "." + random.choice(CLOSE), filed


def write(path, rows, start):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["ticket", "body", "queue"])
        for number, (body, queue) in enumerate(rows, start): writer.writerow([number, body, queue])


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
stream = random.Random(7)
rows = [ticket(stream) for _ in range(2000)]
if "--one" in sys.argv: write(folder / "tickets.csv", rows, 1)
else:
    write(folder / "train.csv", rows[:1700], 1)
    write(folder / "test.csv", rows[1700:], 1701)
