"""What learners write: for each notebook's exercises, right answers in different styles, and mistakes.

RIGHT: name -> answers. MISTAKES: name -> (answer, words of the message that must name the mistake).
"""
