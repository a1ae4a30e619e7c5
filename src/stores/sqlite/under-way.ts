/** Groups of questions that are with the store's thread, oldest first. */
export class GroupsUnderWay {
  /** Asked by each group and not answered yet. */
  private readonly left: number[] = [];

  get count(): number {
    return this.left.length;
  }

  begin(questions: number): void {
    this.left.push(questions);
  }

  /** In the order in which they were asked; several groups at once, or a long one in parts. */
  answered(questions: number): void {
    let answers = questions;
    for (;;) {
      const first = this.left[0];
      if (first === undefined || answers === 0) return;
      if (first > answers) {
        this.left[0] = first - answers;
        return;
      }
      answers -= first;
      this.left.shift();
    }
  }
}
